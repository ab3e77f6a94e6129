"""The terminal desk: screens and widgets over the store's readers and the desk's use cases."""
