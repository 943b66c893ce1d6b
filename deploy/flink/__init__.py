"""A Flink cluster: on this machine, and on Kubernetes."""
