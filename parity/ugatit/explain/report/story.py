"""What cannot be measured here: the nine faults in plain words, and what was measured on Paddle 1.8.5 itself."""

from __future__ import annotations

from parity.messages import say

NINE = {
    "gmp_G": say("The generator's attention has two classifiers, one on averaged and one on maximal features. The port averaged in "
             "both."),
    "gmp_D": say("The same in the discriminators: the maximum is an average."),
    "gmp_fc": say("In the discriminators the second classifier's logit goes through the first one's weights."),
    "iln_eps": say("Half of a normalisation (ILN) has no epsilon: it was passed as the operation's name."),
    "rho": say("The blending weight rho is clipped while the network runs, not after the step. In Paddle 1.8 that clip passes no "
           "gradient at 0, where rho starts: it never moves."),
    "sn_dim": say("The spectral norm of convolutions is taken over the input channels instead of the output channels."),
    "sn_update": say("The spectral norm's vectors u and v are never written back: each forward starts its estimate anew."),
    "sn_grad": say("The gradient through the spectral norm is wrong: a sum of weights stands where a sum of gradient times weight "
               "belongs."),
    "adam_eps": say("Adam's epsilon is not bias-corrected: at the first step it acts 31.6 times larger."),
}
"""What each of the nine is, for a reader who has not seen the code."""

SOURCE_2020 = "paddlepaddle 1.8.5, CPU, Python 3.7"
"""Where the recorded figures of the real port come from (its author ran 1.8.3 on a GPU). They are cited, not made here."""
