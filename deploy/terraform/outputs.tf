output "image_repository" {
  description = "Where images are pushed to."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.name}/job"
}

output "published" {
  description = "Bucket of published runs."
  value       = google_storage_bucket.kept["published"].name
}

output "index" {
  description = "Bucket of the index."
  value       = google_storage_bucket.kept["index"].name
}

output "staging" {
  description = "Bucket of annotated documents and of everything temporary."
  value       = google_storage_bucket.staging.name
}

output "worker" {
  description = "Who the job runs as."
  value       = google_service_account.worker.email
}
