"""From stored uint8 images to what a model is fed, on the device: size, augmentation, prior."""
