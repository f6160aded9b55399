"""The drive-thru service: vehicles in the lanes of a channel."""
