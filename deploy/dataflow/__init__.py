"""The job as a Dataflow Flex Template."""
