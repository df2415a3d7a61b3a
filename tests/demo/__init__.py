"""The text logic of the research brief: reading, ranking, keywords, verdicts and the document."""
