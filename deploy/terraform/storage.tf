locals {
  # Published runs and the index are kept for ever; the others grow old.
  kept = { published = "${var.prefix}-published", index = "${var.prefix}-index" }
}

resource "google_storage_bucket" "kept" {
  for_each = local.kept

  name                        = each.value
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  # What a run left when it failed; a published run has nothing there.
  lifecycle_rule {
    condition {
      age            = 7
      matches_suffix = [".tmp"]
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_storage_bucket" "staging" {
  name                        = "${var.prefix}-staging"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  # Deleted temporary files would be paid for another week.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    condition {
      age = var.staging_days
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 1
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "holdfast"
  location      = var.region
  format        = "DOCKER"
  description   = "The job, launcher and workers alike."

  docker_config {
    immutable_tags = true
  }
}
