"""The results as OSCAL, for tools that read assessments."""
