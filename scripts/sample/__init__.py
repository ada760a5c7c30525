"""The sample export: a product's story, told in Userpilot's own file format."""
