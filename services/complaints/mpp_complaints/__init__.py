"""The complaints service: from the first word of a reporter to the rating of the answer."""
