# Who runs the job, and who may start it: neither can do what the other does.
resource "google_service_account" "worker" {
  account_id   = "${substr(var.prefix, 0, 20)}-worker"
  display_name = "holdfast: launcher and workers"
}

resource "google_service_account" "scheduler" {
  account_id   = "${substr(var.prefix, 0, 20)}-scheduler"
  display_name = "holdfast: starts the nightly run"
}

resource "google_project_iam_member" "worker" {
  project = var.project
  role    = "roles/dataflow.worker"
  member  = google_service_account.worker.member
}

# The launcher submits the job; the worker's own role does not allow that.
resource "google_project_iam_member" "submit" {
  for_each = toset([google_service_account.worker.member, google_service_account.scheduler.member])

  project = var.project
  role    = "roles/dataflow.developer"
  member  = each.value
}

resource "google_service_account_iam_member" "act_as_worker" {
  for_each = toset([google_service_account.worker.member, google_service_account.scheduler.member])

  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}

resource "google_storage_bucket_iam_member" "read" {
  for_each = var.input_buckets

  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.worker.member
}

resource "google_storage_bucket_iam_member" "write" {
  for_each = merge(
    { for name, bucket in google_storage_bucket.kept : name => bucket.name },
    { staging = google_storage_bucket.staging.name },
  )

  bucket = each.value
  role   = "roles/storage.objectUser"
  member = google_service_account.worker.member
}

resource "google_artifact_registry_repository_iam_member" "pull" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.worker.member
}

resource "google_artifact_registry_repository_iam_member" "push" {
  for_each = var.deployers

  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = each.value
}
