"""Two small data pipelines, written as people write them, and what may be wrong with the second."""

import numpy as np
import paddle
import torch
from paddle.vision import transforms as PT
from PIL import Image

RNG = np.random.default_rng(0)
PICTURES = [Image.fromarray(RNG.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize((26, 20), Image.Resampling.BICUBIC)
            for _ in range(7)]
SIZE = 12
MEAN, DEVIATION = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]


class Compose:  # torchvision's are not needed for any of this
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class Resize:
    def __init__(self, size):
        self.size = size

    def __call__(self, image):
        return image.resize((self.size, self.size), Image.Resampling.BILINEAR)


class RandomHorizontalFlip:
    def __call__(self, image):
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if torch.rand(1) < 0.5 else image


class ToTensor:
    def __call__(self, image):
        return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


class Normalize:
    def __call__(self, tensor):
        return (tensor - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)


class TorchSet(torch.utils.data.Dataset):
    def __init__(self):
        self.transform = Compose([Resize(SIZE), RandomHorizontalFlip(), ToTensor(), Normalize()])

    def __len__(self):
        return len(PICTURES)

    def __getitem__(self, index):
        image = PICTURES[index].convert("RGB")
        image = self.transform(image)
        return image, index % 3


def reference():
    return torch.utils.data.DataLoader(TorchSet(), batch_size=3, shuffle=True)


def right():
    return [PT.Resize((SIZE, SIZE)), PT.RandomHorizontalFlip(), PT.ToTensor(), PT.Normalize(MEAN, DEVIATION)]


class PaddleSet(paddle.io.Dataset):
    def __init__(self, transforms=None):
        self.transform = PT.Compose(transforms or right())

    def __len__(self):
        return len(PICTURES)

    def __getitem__(self, index):
        image = PICTURES[index].convert("RGB")
        image = self.transform(image)
        return image, index % 3


def chained(*transforms, dataset=PaddleSet, **loader):
    """A twin with these transforms, and what else its loader is told."""
    return lambda: paddle.io.DataLoader(dataset(list(transforms) or None), **{"batch_size": 3, "shuffle": True, **loader})


# --- the same, written otherwise -------------------------------------------------------------------------------------


def as_bytes():
    """Transposed, and normalised by numbers of [0, 255], as PaddleClas does."""
    return chained(PT.Resize((SIZE, SIZE)), PT.RandomHorizontalFlip(), PT.Transpose(), PT.Normalize(
        [255 * one for one in MEAN], [255 * one for one in DEVIATION]))()


class OtherNames(PaddleSet):
    def __getitem__(self, number):
        resize, *rest = self.transform.transforms
        picture = resize(PICTURES[number].convert("RGB"))
        for transform in rest:
            picture = transform(picture)
        return {"image": picture, "label": number % 3}


class OwnOrder(paddle.io.Sampler):
    """numpy's permutation, as PaddleDetection draws it."""

    def __iter__(self):
        return iter(np.random.permutation(len(self.data_source)).tolist())


def own_sampler():
    dataset = PaddleSet()
    return paddle.io.DataLoader(dataset, batch_sampler=paddle.io.BatchSampler(sampler=OwnOrder(dataset), batch_size=3))


# --- not the same ----------------------------------------------------------------------------------------------------


def bgr(image):
    return Image.fromarray(np.ascontiguousarray(np.asarray(image)[..., ::-1]))


def not_divided(image):
    return paddle.to_tensor(np.asarray(image).transpose(2, 0, 1).astype("float32"))


def four_neighbours(image):
    pixels = paddle.to_tensor(np.asarray(image, np.float32).transpose(2, 0, 1)[None])
    small = paddle.nn.functional.interpolate(pixels, (SIZE, SIZE), mode="bilinear")[0]
    return Image.fromarray(small.numpy().round().astype(np.uint8).transpose(1, 2, 0))


class OtherFiles(PaddleSet):
    def __getitem__(self, index):
        return super().__getitem__(len(PICTURES) - 1 - index)


class Columns(PaddleSet):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image, np.array([label])


class Broken(PaddleSet):
    def __getitem__(self, index):
        return self.images[index]


class FixedOrder(paddle.io.Sampler):
    """Shuffled once, where it is built."""

    def __init__(self, data_source):
        super().__init__(data_source)
        self.order = np.random.permutation(len(data_source)).tolist()

    def __iter__(self):
        return iter(self.order)


class TorchFixed(torch.utils.data.Sampler):
    def __iter__(self):
        return iter(torch.randperm(len(PICTURES)).tolist())


def not_reshuffled():
    dataset = PaddleSet()
    return paddle.io.DataLoader(dataset, batch_sampler=paddle.io.BatchSampler(sampler=FixedOrder(dataset), batch_size=3))


def with_replacement():
    dataset = PaddleSet()
    sampler = paddle.io.RandomSampler(dataset, replacement=True)
    return paddle.io.DataLoader(dataset, batch_sampler=paddle.io.BatchSampler(sampler=sampler, batch_size=3))


def doubled(samples):
    return paddle.stack([image for image, _ in samples]) * 2.0, np.array([label for _, label in samples])


R, F, T, N = right()
FAULTS = {  # name -> (twin, kind of the first finding, part of its step, part of its cause)
    "BGR": (chained(R, bgr, F, T, N), "sample", "bgr", "BGR against RGB"),
    "[0, 255] for [0, 1]": (chained(R, F, not_divided, N), "sample", "not_divided", "values of [0, 255], not of [0, 1]"),
    "nearest for bilinear": (chained(PT.Resize((SIZE, SIZE), "nearest"), F, T, N), "sample", "Resize", "the twin by the nearest"),
    "bicubic for bilinear": (chained(PT.Resize((SIZE, SIZE), "bicubic"), F, T, N), "sample", "Resize", "the twin by bicubic"),
    "not antialiased": (chained(four_neighbours, F, T, N),
                        "sample", "four_neighbours", "the twin by bilinear interpolation without"),
    "cropped, not resized": (chained(PT.CenterCrop(SIZE), F, T, N), "sample", "CenterCrop", "the twin otherwise"),
    "flipped more often": (chained(R, PT.RandomHorizontalFlip(0.95), T, N), "sample", "RandomHorizontalFlip", "a flip"),
    "not flipped": (chained(R, T, N), "sample", "RandomHorizontalFlip, which the reference alone does", "a flip"),
    "channels last": (chained(R, F, PT.ToTensor("HWC"), PT.Normalize(MEAN, DEVIATION, "HWC")), "sample", "ToTensor", "HWC"),
    "other mean": (chained(R, F, T, PT.Normalize([0.485, 0.456, 0.406], DEVIATION)), "sample", "Normalize", "another mean"),
    "not normalised": (chained(R, F, T), "sample", "Normalize, which the reference alone does", "another mean"),
    "labels in a column": (chained(dataset=Columns), "sample", "return[1]", "another shape"),
    "files listed otherwise": (chained(dataset=OtherFiles), "sample", "image", "the same in another order"),
    "batch scaled": (chained(collate_fn=doubled), "batch", "doubled", "times 2"),
    "last batch dropped": (chained(drop_last=True), "order", "", "the twin drops the last batch, of 1 samples"),
    "not shuffled": (chained(shuffle=False), "order", "", "the reference is shuffled, the twin is not"),
    "batch size": (chained(batch_size=2), "order", "", "another batch size"),
    "not shuffled anew": (not_reshuffled, "order", "", "the twin repeats its order"),
    "with replacement": (with_replacement, "order", "", "more than once"),
    "it raises": (chained(dataset=Broken), "raised", "", ""),
}
HEALTHY = {
    "the same": chained(), "as bytes": as_bytes, "other names": chained(dataset=OtherNames), "own sampler": own_sampler,
    "other workers": chained(num_workers=2),
}
