"""What it takes to run the job on a cluster or a service."""
