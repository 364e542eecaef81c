"""What a trained model is worth: scores, their figures and tables, models side by side."""
