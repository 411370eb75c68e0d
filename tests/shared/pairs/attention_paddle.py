"""The Paddle port of `attention_torch`, by somebody who liked other names."""

import paddle
from paddle import nn
from paddle.nn import functional as F


class Attention(nn.Layer):
    def __init__(self, dim, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        head = c // self.num_heads
        qkv = self.qkv(x).reshape([b, n, 3, self.num_heads, head]).transpose([2, 0, 3, 1, 4])
        query, key, value = qkv[0], qkv[1], qkv[2]
        attn = paddle.matmul(query, key.transpose([0, 1, 3, 2])) * head ** -0.5
        attn = F.softmax(attn, axis=-1)
        merged = paddle.matmul(attn, value).transpose([0, 2, 1, 3]).reshape([b, n, c])
        return self.out(merged)


class Block(nn.Layer):
    def __init__(self, dim=16, num_heads=4):
        super().__init__()
        self.patch_embed = nn.Conv2D(3, dim, 8, 8)
        self.cls_token = self.create_parameter([1, 1, dim])
        self.pos_embed = self.create_parameter([1, 17, dim])
        self.ln_1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, num_heads)
        self.ln_2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, pixels):
        h = self.patch_embed(pixels).flatten(2).transpose([0, 2, 1])
        h = paddle.concat([self.cls_token.expand([h.shape[0], -1, -1]), h], axis=1) + self.pos_embed
        h = h + self.attn(self.ln_1(h))
        h = h + self.fc2(F.gelu(self.fc1(self.ln_2(h))))
        return {"token": h[:, 0], "patches": h[:, 1:]}
