"""How the official code draws its first weights."""

from paddle import nn

CONVOLUTIONS = (nn.Conv2D, nn.Conv2DTranspose)
LAYERS = (*CONVOLUTIONS, nn.Linear)


def normal_weights(network, std=0.02):
    """Weights normal with this standard deviation, biases 0. Returns the network."""
    for layer in network.sublayers(include_self=True):
        if isinstance(layer, LAYERS):
            nn.initializer.Normal(0.0, std)(layer.weight)
            if layer.bias is not None:
                nn.initializer.Constant(0.0)(layer.bias)
    return network


def kaiming_weights(network):
    """Weights normal with variance 2 / fan-in, biases 0. Returns the network."""
    for layer in network.sublayers(include_self=True):
        if isinstance(layer, LAYERS):
            nn.initializer.KaimingNormal()(layer.weight)
            if layer.bias is not None:
                nn.initializer.Constant(0.0)(layer.bias)
    return network


def gaussian_weights(network, std=0.02):
    """Weights of convolutions normal with this standard deviation; biases and linear layers stay. Returns the network."""
    for layer in network.sublayers(include_self=True):
        if isinstance(layer, CONVOLUTIONS):
            nn.initializer.Normal(0.0, std)(layer.weight)
    return network
