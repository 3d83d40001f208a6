"""What comes in and what goes out, one module of marshmallow schemas for each noun."""
