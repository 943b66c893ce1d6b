"""Where annotated documents rest between reading and publishing."""
