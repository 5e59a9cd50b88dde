"""Reports and receipts as people want them: on paper, as a page, as files for other programs."""
