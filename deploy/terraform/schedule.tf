locals {
  api = "https://dataflow.googleapis.com/v1b3/projects/${var.project}/locations/${var.region}"

  launch = {
    launchParameter = {
      # Dataflow refuses a second job of a name that runs: runs do not overlap.
      jobName              = "holdfast-nightly"
      containerSpecGcsPath = var.template
      parameters           = var.parameters
      environment = merge(
        {
          serviceAccountEmail  = google_service_account.worker.email
          sdkContainerImage    = var.image
          machineType          = var.machine_type
          maxWorkers           = var.max_workers
          subnetwork           = var.subnetwork
          ipConfiguration      = "WORKER_IP_PRIVATE"
          tempLocation         = "gs://${google_storage_bucket.staging.name}/temp"
          stagingLocation      = "gs://${google_storage_bucket.staging.name}/launch"
          additionalUserLabels = { job = "holdfast", run = "nightly" }
        },
        var.flexrs ? { flexrsGoal = "FLEXRS_COST_OPTIMIZED" } : {},
      )
    }
  }
}

# A schedule that launches, and no google_dataflow_flex_template_job: that resource starts a
# batch job anew whenever a finished one is found missing.
resource "google_cloud_scheduler_job" "nightly" {
  name             = "${var.prefix}-nightly"
  region           = var.region
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  paused           = var.paused
  attempt_deadline = "180s"

  # A second launch of the same name fails while the first one runs.
  retry_config {
    retry_count          = 3
    min_backoff_duration = "60s"
  }

  http_target {
    http_method = "POST"
    uri         = "${local.api}/flexTemplates:launch"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(jsonencode(local.launch))

    oauth_token {
      service_account_email = google_service_account.scheduler.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }
}
