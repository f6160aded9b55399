"""The samplechannel service: channels of the kind `samplechannel`."""
