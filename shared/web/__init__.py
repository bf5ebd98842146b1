"""What people see: pages, forms, the API's handlers, and the door before them."""
