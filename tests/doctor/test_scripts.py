"""The blind exam: scripts as users write them."""

from __future__ import annotations

import pytest

from exams.doctor import blind

MISSED_IN_SCRIPTS = {
    "distill_torch: labels of another permutation",
    "siamese_paddle: the same sentence as anchor and negative",
    "vqvae_torch: straight-through forgotten",
    "tbptt_torch: target not shifted",
    "wgangp_torch: penalty without create_graph",
    "lora_torch: frozen after LoRA was put in",
    "multitask_torch: uncertainties are plain tensors",
    "multitask_torch: ReLU at the end of a regression",
    "pinn_torch: closure without zero_grad",
    "crnn_paddle: reshape for transpose",
    "mlm_paddle: labels 0 for the rest",
    "mlm_paddle: mask the wrong way",
    "det_paddle: boundaries in epochs",
    "seg_paddle: plateau mode max",
    "lstm_lm_paddle: state not detached",
    "lstm_lm_paddle: targets not shifted",
    "lstm_lm_paddle: time first against batch first",
    "distill_paddle: wrong keys loaded",
    "distill_paddle: teacher in train mode",
    "pinn_paddle: create_graph forgotten",
    "ppo_paddle: ratio through numpy",
    "mixup_torch: one cycle scheduler stepped once an epoch",
    "a2c_torch: returns not detached",
    "ode_paddle: all weights start at zero",
    "ranking_paddle: total keeps the graphs",
    "sam_torch: forgets to clear between passes and after",
    "sam_torch: scheduler stepped before the optimizer with T_max of epochs",
    "td3_torch: target keeps its graph through the critic",
    "pgd_torch: gradients of the attack are not cleared",
    "bbb_torch: sample instead of rsample",
    "audio_torch: plateau scheduler on the optimizer never stepped",
    "vaegan_paddle: generator loss on a detached sample",
    "tree_paddle: label for another tree",
    "arcface_paddle: cosine logits are not scaled (s missing): logits bounded in [-1, 1]",
    "dann_again_paddle: gradient reversal lacks the minus sign in backward",
    "focal_det_paddle: focal modulating factor is inverted: should be (1 - p_t)^gamma",
    "mixup_cnn_paddle: mixup labels use a different permutation than the images",
    "patience_paddle: best_loss initialised to 0 so it never improves; early stopping ends training after 3 epochs",
    "reinforce_grid_paddle: returns are in reverse order relative to the log-probs; reverse / insert(0, ...)",
    "unfreeze_paddle: unfrozen backbone's parameters are not in the optimizer",
    "ddpg_thermostat_torch: actor loss lacks the minus sign: the policy minimises Q",
    "ddpm_moons_torch: forward diffusion uses alphas instead of alphas_cumprod",
    "dqn_corridor_torch: TD target masks with done the wrong way round; must be (1 - done)",
    "simclr_pairs_torch: positive pairs index the wrong row (i^1 instead of i+N) in NT-Xent",
    "count_gru_paddle: the learning rate for Adam is 0.3, a hundred times too large",
    "encoder_cls_paddle: the bool mask has torch's meaning (True = padding)",
    "lora_paddle: everything is frozen after the LoRA layers were put in",
    "mean_teacher_paddle: the EMA update writes into the student instead of the teacher",
    "mixup_paddle: the mixup weights of the two labels are swapped relative to the weights of the two images",
    "ner_paddle: ignore_index is 0",
    "pg_maze_paddle: the policy loss lacks the minus sign",
    "recsys_paddle: the item embedding is looked up with the user ids (copy-paste)",
    "sensors_paddle: testing runs in train mode",
    "triplet_paddle: the roles are swapped in the triplet loss: distance to the negative is made small and to the",
    "vae_again_paddle: the KL term has the wrong sign",
    "ddpm_points_torch: x is noised with one draw and the net is asked to predict another, independent draw of noise",
    "gcn_blocks_torch: the map from paper id to row is built over the sorted ids while features and labels keep the",
    "keypoints_torch: the random horizontal flip mirrors the image but leaves the keypoint's x coordinate as it was",
    "ppo_balance_torch: the old log-probabilities are taken from the current policy, undetached",
    "reinforce_corridor_torch: the log-probability stored is that of a freshly sampled second action, not of the action sent",
    "reviews_torch: the padding mask is inverted (True for real words)",
    "tagger_torch: scores are time-major [T,B,C] but the labels are flattened batch-major [B,T]",
    "wine_torch: features and labels are shuffled with two different permutations",
    "accum_sine_torch: the micro-batch losses are summed up over the accumulation steps without dividing by their number",
    "digits_vae_torch: the reconstruction is averaged over pixels while the KL is summed over latents and averaged over",
    "gauss_five_torch: inputs and labels are shuffled with two different permutations",
    "heat_pinn_torch: the residual is averaged before it is squared",
    "load_forecast_torch: the window's target is its own last value (off by one)",
    "moons_flow_torch: the log-determinant is subtracted from the log-likelihood instead of added",
    "checkpoint_in_paddle: square weight matrices taken over from a torch-style checkpoint are (out",
    "focal_points_paddle: the hand-written binary focal loss takes paddle.log(1 - p) of a sigmoid that reaches exactly one in",
    "gene_vae_paddle: the KL term is written with the wrong sign and added",
    "mix_batches_paddle: in mixup the weights of the two label losses are swapped (1 - lam for the first image mixed with",
    "rare_fraud_paddle: the class weights are the class frequencies instead of their inverse",
    "recall_pg_paddle: the discounted returns are appended while walking backwards and not reversed",
    "pendulum_sac_torch: the temperature loss has the wrong sign",
    "signal_bf16_torch: the loss is multiplied by a static scale before backward but the gradients are never divided by it",
    "sine_maml_torch: the outer loss is computed with the original parameters",
    "thermostat_dqn_torch: Q(s",
    "triplet_faces_torch: positive and negative distances are swapped in the margin loss",
    "accum_not_divided_torch: divide the loss by the number of accumulation steps; the summed gradient is 32 times too",
    "bpr_sign_torch: BPR is -logsigmoid(positive - negative); the difference is the wrong way round, so",
    "caption_pixels_torch: permute (B, C, H, W) to (B, H, W, C) before the reshape to (B, pixels, features); as it",
    "ddpg_sign_paddle: the actor maximises the critic: actor_loss = -critic(s, actor(s)).mean(); the minus is",
    "mask_inverted_torch: fill the scores where the mask is 0 (padding), not where it is 1",
    "ppo_no_grad_ratio_torch: compute the ratio with gradients (outside torch.no_grad()), or the policy never learns",
    "shuffled_apart_paddle: shuffle the inputs and the labels with one permutation; two calls of shuffle break the",
    "siamese_label_paddle: y = 1 means the same class here, so it belongs to the squared distance; the two terms are",
    "triplet_swapped_torch: the hinge is relu(d(anchor, positive) - d(anchor, negative) + margin); the two distances",
    "unfreeze_habit_paddle: set stop_gradient = False on every parameter of the backbone; setting it on the Layer",
}
MISPLACED_IN_SCRIPTS = {
    "vqvae_torch: images not divided by 255",
    "moco_torch: deepcopy forgotten",
    "tbptt_torch: state not detached",
    "ppo_torch: old log-probabilities computed anew",
    "wgangp_torch: critic's optimizer holds the generator",
    "cyclegan_paddle: fake not detached",
    "det_paddle: box loss through float",
    "det_paddle: head replaced late",
    "distill_paddle: no_grad on features",
    "nerf_torch: fine network never rendered",
    "tabular_paddle: sampler not told the epoch",
    "ranking_paddle: margin under no_grad",
    "gumbel_torch: argmax instead of gumbel",
    "gumbel_torch: optimizer over the encoder only",
    "td3_torch: actor loss of the actions in memory",
    "audio_torch: filter read through data",
    "audio_torch: hook zeroes one-column gradients",
    "vaegan_paddle: fake not detached in the discriminator's loss, decoder steps on it",
    "stn_paddle: no shuffling of classes",
    "tcn_paddle: learning rate of 10",
    "tcn_paddle: the same seed in every window",
    "kfold_paddle: variance without softplus",
    "binary_paddle: backward of the sign forgets the gradient",
    "binary_paddle: sign of paddle without straight-through",
    "dqn_chain_paddle: the target network is never synchronised",
    "housing_paddle: the label is a vector [N] against predictions [N,1]",
    "pixels_mlp_paddle: pixels stay in 0..255",
    "textcnn_paddle: the warmup schedule starting at 0 is never stepped",
    "credit_torch: the test features are not put through the scaler fitted on the training features",
    "distill_again_torch: KLDivLoss is given the student's probabilities although it expects log-probabilities",
    "dqn_grid_torch: q(s).gather(1, a) keeps shape [B,1] while the target is [B]",
    "kfold_torch: each fold makes a new network but the optimizer still holds the parameters of the one made",
    "running_mean_torch: the state is set to zeros inside the time loop",
    "simclr_vec_torch: both views of a pair are the same augmented tensor",
    "unet_blobs_torch: masks that already are 0/1 are divided by 255",
    "bars_cnn_torch: optimizer.step() stands outside the batch loop",
    "lenet_cosine_paddle: the warm-up scheduler starts at learning rate 0 and scheduler.step() is never called",
    "sensor_rows_torch: training inputs are standardised but the validation inputs are passed raw",
    "strip_ctc_torch: the characters are numbered from 0 although 0 is the CTC blank",
    "byol_same_net_torch: target = copy.deepcopy(online); the target is the online network itself, so the loss",
    "constant_column_paddle: guard the division: the standard deviation of a constant column is 0 (use std + 1e-6)",
    "ctc_logits_torch: ctc_loss of torch takes log-probabilities: apply log_softmax(-1) to the logits",
    "detector_score_only_torch: add the box loss to the total again; only the score loss is optimised",
    "fcn_validate_torch: call model.train() again after validate() (at the start of each epoch); the network",
    "lora_both_zero_torch: initialise lora_A at random (kaiming_uniform_) and only lora_B at zero; with both zero no",
    "nll_raw_torch: give NLLLoss log-probabilities: return F.log_softmax(x, dim=1) from forward",
    "normalize_255_torch: divide the images by 255 before Normalize(mean 0.5, std 0.5); as it is the inputs reach",
    "ppo_gridworld_torch: flatten the advantages to (N,); (N, 1) times (N,) broadcasts to (N, N) in the surrogate",
    "replay_same_array_torch: store copies in the replay buffer (state.copy()); the environment writes its array in",
    "sac_sample_torch: draw the action by rsample(); sample() cuts the gradient from the critic to the actor",
    "srgan_two_g_torch: step d_optimizer after the discriminator's backward; g_optimizer is stepped instead",
    "warmup_never_stepped_paddle: call scheduler.step() after every batch; LinearWarmup starts at 0 and never leaves it",
}


FAST = "fourth"  # the round that every run of the tests sits; the others are `slow`


def cases(kind: str) -> list:
    """The faulty or healthy cases of all rounds, for pytest."""
    return [pytest.param(case, id=f"{case.script}-{case.name}", marks=() if one.name == FAST else pytest.mark.slow)
            for one in blind.ROUNDS for case in getattr(one, kind)]


@pytest.mark.parametrize("case", cases("faults"))
def test_a_faulty_script(case):
    answer = blind.sit(case)
    known = f"{case.script}: {case.name}"
    assert answer.named is (known not in MISSED_IN_SCRIPTS)
    assert answer.placed is (known not in MISSED_IN_SCRIPTS | MISPLACED_IN_SCRIPTS)


@pytest.mark.parametrize("case", cases("healthy"))
def test_a_healthy_script(case):
    answer = blind.sit(case)
    assert not answer.false_alarms
    assert {found.id for found in answer.said.warnings} <= {*case.declared, *case.later}


def test_what_every_run_sits_has_faults_and_healthy_scripts():
    (fast,) = (one for one in blind.ROUNDS if one.name == FAST)
    assert len(fast.faults) > 15 and len(fast.healthy) > 20
