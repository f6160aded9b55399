"""Kiosks of a site: their buttons, and the numbers they print while cut off. Knows how tickets are admitted; tickets
know nothing of kiosks."""
