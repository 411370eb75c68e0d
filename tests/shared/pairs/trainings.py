"""Training steps of users' own pairs: what is declared, and what the harness must find in them."""

from pairs import training_paddle as theirs
from pairs import training_torch as ours
from parity.declare.inputs import integers, normal, uniform
from parity.declare.training import Training

classifier = Training(ours.ClassifierTraining, theirs.ClassifierTraining, [normal(5, 3, 6, 6), integers(5, high=4)])
tagger = Training(ours.tagger_training, theirs.tagger_training,
                  [integers(2, 6, high=50), uniform(2, 6, 1), integers(2, 6, high=5)])
encoder = Training(ours.EncoderTraining, theirs.EncoderTraining, [integers(2, 6, high=50)])
regression = Training(ours.RegressionTraining, theirs.RegressionTraining, [normal(5, 6), normal(5, 3)])
cyclegan = Training(ours.CycleGANTraining, theirs.CycleGANTraining,
                    [uniform(1, 3, 16, 16, low=-1, high=1), uniform(1, 3, 16, 16, low=-1, high=1)],
                    names={"last_fakes": "pool"}, phases={"generators": "G", "discriminators": "D"})
