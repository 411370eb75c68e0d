"""How the official code draws its first weights."""

from torch import nn

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
LAYERS = (*CONVOLUTIONS, nn.Linear)


def normal_weights(network, std=0.02):
    """Weights normal with this standard deviation, biases 0. Returns the network."""
    for layer in network.modules():
        if isinstance(layer, LAYERS):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def kaiming_weights(network):
    """Weights normal with variance 2 / fan-in, biases 0. Returns the network."""
    for layer in network.modules():
        if isinstance(layer, LAYERS):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def gaussian_weights(network, std=0.02):
    """Weights of convolutions normal with this standard deviation; biases and linear layers stay. Returns the network."""
    for layer in network.modules():
        if isinstance(layer, CONVOLUTIONS):
            nn.init.normal_(layer.weight, 0.0, std)
    return network
