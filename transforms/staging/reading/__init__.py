"""Reading staged rows as the decisions of the run have them."""
