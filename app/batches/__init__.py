"""Many payments at once: captured or cancelled one by one in the background, each with a result of its own."""
