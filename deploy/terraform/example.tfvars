project       = "example-project"
region        = "europe-west4"
prefix        = "example-holdfast"
image         = "europe-west4-docker.pkg.dev/example-project/holdfast/job@sha256:0000000000000000000000000000000000000000000000000000000000000000"
template      = "gs://example-holdfast-staging/templates/holdfast.json"
subnetwork    = "regions/europe-west4/subnetworks/workers"
input_buckets = ["example-crawl"]

parameters = {
  input  = "gs://example-crawl/{date}/*.parquet"
  output = "gs://example-holdfast-published/nightly/{date}"
  # In the bucket whose files grow old.
  staging = "gs://example-holdfast-staging/runs/{date}"
  index   = "gs://example-holdfast-index/index"
  floor   = "original=0.3,tail=0.1"
  cap     = "synthetic=0.2"
}
