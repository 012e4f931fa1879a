"""What the service keeps: datasets, uploads, rankings, their candidates and events."""
