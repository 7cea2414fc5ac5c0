"""Pictures of digits, as people have them, made into what MNIST would have made of them."""
