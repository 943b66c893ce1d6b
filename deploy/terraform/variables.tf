variable "project" {
  description = "Project that everything is in."
  type        = string
}

variable "region" {
  description = "Region of buckets, images and jobs; one region, or shuffled bytes are paid for twice."
  type        = string
}

variable "prefix" {
  description = "Begins the names of buckets, which are global."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.prefix))
    error_message = "prefix is lower case letters, digits and dashes, 3 to 41 characters."
  }
}

variable "image" {
  description = "The image by digest: REGION-docker.pkg.dev/PROJECT/holdfast/job@sha256:..."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is given by digest: a tag can change between the launch and a worker's start."
  }
}

variable "template" {
  description = "Specification of the Flex Template (gcloud dataflow flex-template build writes it)."
  type        = string
}

variable "parameters" {
  description = "Parameters of the nightly run, as deploy/dataflow/metadata.json lists them; {date} is the day of the launch."
  type        = map(string)
}

variable "input_buckets" {
  description = "Buckets that the job reads."
  type        = set(string)
}

variable "schedule" {
  description = "When the nightly run starts (cron, UTC)."
  type        = string
  default     = "17 2 * * *"
}

variable "paused" {
  description = "Whether the schedule stands still: during an upgrade, or a back-fill."
  type        = bool
  default     = false
}

variable "machine_type" {
  description = "Of workers: 4 GB a core hold every partition with room to spare."
  type        = string
  default     = "n2-standard-8"
}

variable "max_workers" {
  description = "Most workers."
  type        = number
  default     = 25
}

variable "flexrs" {
  description = "Delayed scheduling (within six hours) at a lower price."
  type        = bool
  default     = true
}

variable "subnetwork" {
  description = "Subnetwork of workers, with private Google access: they have no public addresses."
  type        = string
}

variable "staging_days" {
  description = "Days that annotated documents are kept; a run can be selected again until then."
  type        = number
  default     = 30
}

variable "deployers" {
  description = "Who may push images and templates: members such as group:data@example.com."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "Monitoring channels that alerts go to."
  type        = list(string)
  default     = []
}
