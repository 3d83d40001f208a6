"""What editors ask about .flow files, and the language server that answers them."""
