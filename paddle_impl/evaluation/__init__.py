"""The twin of ``torch_ref.evaluation``: KID and FID in Paddle, file for file and name for name."""

from .evaluation import Evaluation
from .inception import InceptionV3
from .metrics import frechet_distance, kernel_distance, polynomial_kernel, squared_mmd
from .pictures import image_to_tensor, load_image, resize_like_tensorflow
from .small import SmallFeatures

__all__ = [
    "Evaluation",
    "InceptionV3",
    "SmallFeatures",
    "frechet_distance",
    "image_to_tensor",
    "kernel_distance",
    "load_image",
    "polynomial_kernel",
    "resize_like_tensorflow",
    "squared_mmd",
]
