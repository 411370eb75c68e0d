"""The eighth round: as the seventh, by somebody else who had not read the checks."""

from exams.doctor.blind.case import Case

FAULTS = (
    Case("the micro-batch losses are summed up over the accumulation steps without dividing by "
         "their number", "accum_sine_torch",
         (("        (loss / ACCUM).backward()\n",
           "        loss.backward()\n"),),
         (), at=(38, 36, 40)),
    Case("the hidden state is detached at every time step inside the unrolled loop", "adding_rnn_torch",
         (("            h = self.cell(x[:, t], h)\n",
           "            h = self.cell(x[:, t], h.detach())\n"),),
         (), at=(31,)),
    Case("the second task's loss enters the total as a Python number (.item())", "age_gender_torch",
         (("        loss = loss_g + 2.0 * loss_a\n",
           "        loss = loss_g + 2.0 * loss_a.item()\n"),),
         ("term-without-graph",), at=(42,)),
    Case("the old log-probability is recomputed from the current policy with its graph", "bandit_ppo_torch",
         (("            old_logp = logp_roll[idx]\n",
           "            old_logp = model.dist(s[idx]).log_prob(a[idx])\n"),),
         (), at=(46, 47)),
    Case("optimizer.step() stands outside the batch loop", "bars_cnn_torch",
         (("        optimizer.step()\n",
           "    optimizer.step()\n"),),
         ("gradient-discarded",), at=(49, 47, 48)),
    Case("the parameters themselves are cast to bfloat16", "bf16_finetune_torch",
         (("net = net.float()\n",
           "net = net.to(torch.bfloat16)\n"),),
         (), at=(29, 30, 31, 36)),
    Case("the weights are copied in the wrong direction", "chain_dqn_torch",
         (("            target.load_state_dict(online.state_dict())\n",
           "            online.load_state_dict(target.state_dict())\n"),),
         (), at=(69,)),
    Case("all weights are initialised to one constant", "checker_mlp_torch",
         (("            nn.init.kaiming_uniform_(m.weight, nonlinearity=\"relu\")\n",
           "            nn.init.constant_(m.weight, 0.05)\n"),),
         ("units-alike",), at=(25,)),
    Case("log_softmax is taken over the nodes (dim=0) rather than over the classes", "cora_like_gcn_torch",
         (("        return F.log_softmax(self.c2(h, a), dim=1)\n",
           "        return F.log_softmax(self.c2(h, a), dim=0)\n"),),
         ("loss-input",), at=(40,)),
    Case("the advantage has shape (T", "corridor_a2c_torch",
         (("    actor = -(chosen * adv.squeeze(1).detach()).mean()\n",
           "    actor = -(chosen * adv.detach()).mean()\n"),),
         ("loss-broadcast",), at=(67, 65, 66)),
    Case("the reconstruction is averaged over pixels while the KL is summed over latents and "
         "averaged over", "digits_vae_torch",
         (("    rec = F.binary_cross_entropy_with_logits(logits, x, reduction=\"sum\") / x.size(0)\n",
           "    rec = F.binary_cross_entropy_with_logits(logits, x)\n"),),
         (), at=(33, 34, 35)),
    Case("the weight average copies only parameters and leaves the BatchNorm running statistics at "
         "their", "ema_rows_torch",
         (("        for e, b in zip(self.module.buffers(), model.buffers()):\n"
           "            e.copy_(b)\n",
           ""),),
         ("statistics-unmoved",), at=(36, 34, 35)),
    Case("inputs and labels are shuffled with two different permutations", "gauss_five_torch",
         (("x, y = x[perm], y[perm]\n",
           "x, y = x[perm], y[rng.permutation(len(y))]\n"),),
         (), at=(19,)),
    Case("the latent is drawn with sample() instead of rsample()", "gauss_vae_dist_torch",
         (("        z = q.rsample()\n",
           "        z = q.sample()\n"),),
         (), at=(38,)),
    Case("the residual is averaged before it is squared", "heat_pinn_torch",
         (("    loss_pde = torch.mean(f ** 2)\n",
           "    loss_pde = torch.mean(f) ** 2\n"),),
         (), at=(38,)),
    Case("predictions have shape (B", "house_prices_torch",
         (("        loss = rmse_loss(pred.squeeze(1), y_train[idx])\n",
           "        loss = rmse_loss(pred, y_train[idx])\n"),),
         ("loss-broadcast",), at=(38, 28, 37)),
    Case("the window's target is its own last value (off by one)", "load_forecast_torch",
         (("        ys.append(values[i + WINDOW])\n",
           "        ys.append(values[i + WINDOW - 1])\n"),),
         (), at=(18, 17)),
    Case("both low-rank factors start at zero", "lora_linear_torch",
         (("        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))\n",
           "        nn.init.zeros_(self.A)\n"),),
         (), at=(21, 15, 16, 22)),
    Case("the causal mask is built but never given to the attention", "mini_gpt_torch",
         (("        h = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)\n",
           "        h = F.scaled_dot_product_attention(q, k, v)\n"),),
         ("sees-its-target",), at=(33, 50)),
    Case("the log-determinant is subtracted from the log-likelihood instead of added", "moons_flow_torch",
         (("    return base + log_det\n",
           "    return base - log_det\n"),),
         (), at=(51,)),
    Case("best_state only references the live tensors of state_dict()", "noisy_stop_torch",
         (("        best_state = copy.deepcopy(net.state_dict())\n",
           "        best_state = net.state_dict()\n"),),
         ("state-by-reference",), at=(42, 50)),
    Case("the (max_len", "order_tokens_torch",
         (("        return x + self.pe[:x.size(1)].transpose(0, 1)\n",
           "        return x + self.pe[:x.size(0)]\n"),),
         (), at=(21, 34)),
    Case("the classifier head is replaced after the optimizer was built", "pairs_transfer_torch",
         (("    p.requires_grad = False\n"
           "model.fc = nn.Linear(48, 4)\n"
           "optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)\n",
           "    p.requires_grad = False\n"
           "optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)\n"
           "model.fc = nn.Linear(48, 4)\n"),),
         ("network-unheld",), at=(34, 35)),
    Case("clear_grad() is never called", "air_quality_paddle",
         (("        opt.clear_grad()\n",
           ""),),
         ("leftover-gradient",), at=(49, 48, 50)),
    Case("the custom layer holds its weight as paddle.to_tensor (stop_gradient=True", "bilinear_paddle",
         (("        self.w = self.create_parameter([dim, dim], "
           "default_initializer=nn.initializer.Assign(init))\n",
           "        self.w = paddle.to_tensor(init)\n"),),
         ("tensor-attribute",), at=(14,)),
    Case("the generator's optimizer is given the discriminator's parameters", "blob_gan_paddle",
         (("optG = paddle.optimizer.Adam(learning_rate=lr, beta1=beta1, parameters=netG.parameters())\n",
           "optG = paddle.optimizer.Adam(learning_rate=lr, beta1=beta1, parameters=netD.parameters())\n"),),
         ("network-unheld",), at=(35,)),
    Case("box targets stay in pixels (0..64) while the head ends in a sigmoid (0..1)", "box_head_paddle",
         (("        target = paddle.to_tensor(BOX[idx] / IMG)\n",
           "        target = paddle.to_tensor(BOX[idx])\n"),),
         ("target-out-of-reach",), at=(47, 35, 48)),
    Case("square weight matrices taken over from a torch-style checkpoint are (out", "checkpoint_in_paddle",
         (("    if value.ndim == 2:\n",
           "    if list(value.shape) != list(param.shape):\n"),),
         (), at=(45, 46, 47)),
    Case("the model already ends in a sigmoid and the loss is BCEWithLogitsLoss", "click_model_paddle",
         (("        return z\n",
           "        return nn.functional.sigmoid(z)\n"),),
         ("loss-input",), at=(28, 34, 50)),
    Case("padding_idx=0 is set although id 0 is a real symbol and nothing is padded", "codon_embed_paddle",
         (("        self.emb = nn.Embedding(len(stoi), d)\n",
           "        self.emb = nn.Embedding(len(stoi), d, padding_idx=0)\n"),),
         (), at=(23,)),
    Case("softmax probabilities are handed to paddle's ctc_loss", "ctc_digits_paddle",
         (("        return self.fc(h)\n",
           "        return F.softmax(self.fc(h), axis=-1)\n"),),
         ("loss-input",), at=(32, 49)),
    Case("the distances go through .numpy() and back into a new tensor", "embed_margin_paddle",
         (("    hinge = F.relu(d_p - d_n + margin)\n"
           "    return hinge.mean()\n",
           "    hinge = np.maximum((d_p - d_n).numpy() + margin, 0.0)\n"
           "    return paddle.to_tensor(hinge, stop_gradient=False).mean()\n"),),
         ("graph-cut",), at=(30, 31)),
    Case("the second loss overwrites the first (= in place of +=)", "face_attributes_paddle",
         (("            loss = loss + F.cross_entropy(out[name], paddle.to_tensor(labels[name][idx]))\n",
           "            loss = F.cross_entropy(out[name], paddle.to_tensor(labels[name][idx]))\n"),),
         ("parameters-without-gradient",), at=(43,)),
    Case("the hand-written binary focal loss takes paddle.log(1 - p) of a sigmoid that reaches "
         "exactly one in", "focal_points_paddle",
         (("        log_p, log_q = F.log_sigmoid(logits), F.log_sigmoid(-logits)\n",
           "        log_p, log_q = paddle.log(p), paddle.log(1 - p)\n"),),
         (), at=(23, 22, 25)),
    Case("the KL term is written with the wrong sign and added", "gene_vae_paddle",
         (("        kl = -0.5 * paddle.sum(1 + logvar - mu ** 2 - paddle.exp(logvar)) / x.shape[0]\n",
           "        kl = 0.5 * paddle.sum(1 + logvar - mu ** 2 - paddle.exp(logvar)) / x.shape[0]\n"),),
         (), at=(38,)),
    Case("the batch is reshaped to (time", "gesture_lstm_paddle",
         (("        x = paddle.transpose(x, [1, 0, 2])\n",
           "        x = paddle.reshape(x, [x.shape[1], x.shape[0], x.shape[2]])\n"),),
         ("rows-mixed",), at=(27,)),
    Case("model.train() is called only once before the loop", "leaf_photos_paddle",
         (("opt = paddle.optimizer.Momentum(learning_rate=sched, momentum=0.9, "
           "parameters=model.parameters(), weight_decay=1e-4)\n"
           "\n",
           "opt = paddle.optimizer.Momentum(learning_rate=sched, momentum=0.9, "
           "parameters=model.parameters(), weight_decay=1e-4)\n"
           "model.train()\n"),
          ("    model.train()\n",
           ""),),
         (), at=(36, 37, 38, 48)),
    Case("the warm-up scheduler starts at learning rate 0 and scheduler.step() is never called", "lenet_cosine_paddle",
         (("        scheduler.step()\n",
           ""),),
         ("scheduler-stuck",), at=(46, 45, 47)),
    Case("the low-rank adapters are put into the network after the optimizer has collected its "
         "parameters", "lora_swap_paddle",
         (("optimizer = paddle.optimizer.Adam(learning_rate=5e-3, parameters=[p for p in "
           "model.parameters() if not p.stop_gradient])\n",
           ""),),
         ("network-unheld",), at=(56, 51, 54)),
    Case("paddle.scatter overwrites by default", "message_net_paddle",
         (("        agg = paddle.scatter(agg, dst, m, overwrite=False)\n",
           "        agg = paddle.scatter(agg, dst, m)\n"),),
         (), at=(28, 27)),
    Case("in mixup the weights of the two label losses are swapped (1 - lam for the first image "
         "mixed with", "mix_batches_paddle",
         (("        loss = lam * loss_a + (1 - lam) * loss_b\n",
           "        loss = (1 - lam) * loss_a + lam * loss_b\n"),),
         (), at=(37,)),
    Case("the encoder's forward still carries the @paddle.no_grad() decorator of the inference code", "motif_conv_paddle",
         (("        self.c2 = nn.Conv1D(12, 12, 3, padding=1)\n"
           "\n"
           "    def forward(self, x):\n",
           "        self.c2 = nn.Conv1D(12, 12, 3, padding=1)\n"
           "\n"
           "    @paddle.no_grad()\n"
           "    def forward(self, x):\n"),),
         ("graph-cut",), at=(26, 27)),
    Case("the class weights are the class frequencies instead of their inverse", "rare_fraud_paddle",
         (("weight = counts.sum() / (2 * counts)\n",
           "weight = counts / counts.sum()\n"),),
         (), at=(33,)),
    Case("the discounted returns are appended while walking backwards and not reversed", "recall_pg_paddle",
         (("        out.insert(0, g)\n",
           "        out.append(g)\n"),),
         (), at=(38,)),
    Case("momentum=0.1 is the torch convention", "rows_bn_paddle",
         (("    return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1D(o, momentum=0.9), nn.ReLU())\n",
           "    return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1D(o, momentum=0.1), nn.ReLU())\n"),),
         ("momentum-of-torch",), at=(16,)),
    Case("the discriminator is told that the generated samples are real (label one)", "spiral_gan_paddle",
         (("    err_fake = criterion(D(fake.detach()), fake_label)\n",
           "    err_fake = criterion(D(fake.detach()), real_label)\n"),),
         (), at=(37,)),
    Case("the labels of the language model are the input tokens themselves (not shifted by one)", "table_lm_paddle",
         (("        inputs, labels = ids[:, :-1], ids[:, 1:]\n",
           "        inputs, labels = ids[:, :-1], ids[:, :-1]\n"),),
         ("target-not-shifted",), at=(42, 43)),
    Case("a multi-label model ends in softmax", "tags_multilabel_paddle",
         (("        return F.sigmoid(self.fc2(h))\n",
           "        return F.softmax(self.fc2(h), axis=-1)\n"),),
         ("loss-input",), at=(38, 44, 50)),
    Case("weight_decay=0.5 (an AdamW-like number read as L2 in Momentum) pulls all weights to zero", "text_cnn_paddle",
         (("    weight_decay=1e-4,\n",
           "    weight_decay=0.5,\n"),),
         ("decay-dominates",), at=(39,)),
    Case("cosine similarities are multiplied by the temperature 0.07 instead of divided by it", "text_image_paddle",
         (("        return sim / self.temperature\n",
           "        return sim * self.temperature\n"),),
         (), at=(35,)),
    Case("the global-norm clip of 1e-3 is far below every gradient", "wave_gru_paddle",
         (("clip = nn.ClipGradByGlobalNorm(clip_norm=1.0)\n",
           "clip = nn.ClipGradByGlobalNorm(clip_norm=1e-3)\n"),),
         (), at=(31, 32)),
    Case("the layers are kept in a plain Python list", "xor_stack_paddle",
         (("        self.hidden = nn.LayerList(hidden)\n",
           "        self.hidden = hidden\n"),),
         ("module-unregistered",), at=(21, 20)),
    Case("the temperature loss has the wrong sign", "pendulum_sac_torch",
         (("    loss_t = -(log_alpha * (lp + target_entropy).detach()).mean()\n",
           "    loss_t = (log_alpha * (lp + target_entropy).detach()).mean()\n"),),
         (), at=(59,)),
    Case("F.dropout is called without training=self.training", "proto_mlp_torch",
         (("        x = F.dropout(x, p=0.6, training=self.training)\n",
           "        x = F.dropout(x, p=0.6)\n"),),
         ("dropout-always",), at=(28,)),
    Case("the straight-through trick forgets detach()", "quant_train_torch",
         (("    return w + (q - w).detach()\n",
           "    return w + (q - w)\n"),),
         (), at=(12,)),
    Case("the attention scores (batch", "recall_attention_torch",
         (("        weights = F.softmax(scores, dim=-1)\n",
           "        weights = F.softmax(scores, dim=1)\n"),),
         (), at=(24,)),
    Case("ignore_index is set to the end-of-sequence id instead of the padding id", "reverse_s2s_torch",
         (("criterion = nn.CrossEntropyLoss(ignore_index=PAD)\n",
           "criterion = nn.CrossEntropyLoss(ignore_index=EOS)\n"),),
         (), at=(55, 60)),
    Case("zero_grad() is called between backward() and step()", "review_lstm_torch",
         (("    loss.backward()\n"
           "    optimizer.step()\n"
           "    optimizer.zero_grad()\n",
           "    loss.backward()\n"
           "    optimizer.zero_grad()\n"
           "    optimizer.step()\n"),),
         ("cleared-too-late",), at=(44, 43, 45)),
    Case("the generated batch is detached in the generator's own step as well", "ring_gan_torch",
         (("        fake = self.fake(n)\n",
           "        fake = self.fake(n).detach()\n"),),
         ("graph-cut",), at=(37, 38)),
    Case("logits of shape (N", "seg_shapes_torch",
         (("        flat = logits.permute(0, 2, 3, 1).reshape(-1, 3)\n",
           "        flat = logits.contiguous().view(-1, 3)\n"),),
         ("axes-renumbered",), at=(48, 49)),
    Case("training inputs are standardised but the validation inputs are passed raw", "sensor_rows_torch",
         (("val_ds = TensorDataset(torch.from_numpy((X_val - mean) / std), torch.from_numpy(y_val))\n",
           "val_ds = TensorDataset(torch.from_numpy(X_val), torch.from_numpy(y_val))\n"),),
         ("evaluation-scale",), at=(24, 26)),
    Case("the square root is taken of an exact zero for identical pairs", "siamese_rows_torch",
         (("    dist = torch.sqrt(((za - zb) ** 2).sum(1) + 1e-8)\n",
           "    dist = torch.sqrt(((za - zb) ** 2).sum(1))\n"),),
         ("nonfinite",), at=(29,)),
    Case("the loss is multiplied by a static scale before backward but the gradients are never "
         "divided by it", "signal_bf16_torch",
         (("    for p in model.parameters():\n"
           "        p.grad.div_(LOSS_SCALE)\n",
           ""),),
         (), at=(28, 29)),
    Case("the outer loss is computed with the original parameters", "sine_maml_torch",
         (("        meta_loss = meta_loss + F.mse_loss(forward(fast, xq), yq)\n",
           "        meta_loss = meta_loss + F.mse_loss(forward(theta, xq), yq)\n"),),
         (), at=(48, 46)),
    Case("F.kl_div is given the student's probabilities instead of its log-probabilities", "soft_distill_torch",
         (("    soft_student = F.log_softmax(s_logits / T, dim=1)\n",
           "    soft_student = F.softmax(s_logits / T, dim=1)\n"),),
         ("loss-input",), at=(33, 34)),
    Case("StepLR counted in epochs is stepped after every batch", "spiral_mlp_torch",
         (("        optimizer.step()\n"
           "        total += loss.item()\n"
           "    return total / 30\n"
           "\n"
           "\n"
           "for epoch in range(1, 31):\n"
           "    avg = run_epoch()\n"
           "    scheduler.step()\n",
           "        optimizer.step()\n"
           "        scheduler.step()\n"
           "        total += loss.item()\n"
           "    return total / 30\n"
           "\n"
           "\n"
           "for epoch in range(1, 31):\n"
           "    avg = run_epoch()\n"),),
         (), at=(33, 39)),
    Case("the loss is computed on argmax classes wrapped in a new leaf with requires_grad=True", "star_rating_torch",
         (("        pred = probs @ levels\n",
           "        pred = Variable(probs.argmax(1).float(), requires_grad=True)\n"),),
         ("graph-cut",), at=(38, 39)),
    Case("the characters are numbered from 0 although 0 is the CTC blank", "strip_ctc_torch",
         (("char_to_id = {c: i + 1 for i, c in enumerate(ALPHABET)}\n",
           "char_to_id = {c: i for i, c in enumerate(ALPHABET)}\n"),),
         ("loss-input",), at=(10, 51)),
    Case("a typo", "tanh_transfer_torch",
         (("    param.requires_grad = False\n",
           "    param.require_grad = False\n"),),
         (), at=(33, 32, 41)),
    Case("the teacher is neither detached nor left out of the optimizer", "teacher_student_torch",
         (("optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)\n",
           "optimizer = torch.optim.Adam(itertools.chain(student.parameters(), teacher.parameters()), "
           "lr=5e-3)\n"),),
         (), at=(27, 31, 33)),
    Case("Q(s", "thermostat_dqn_torch",
         (("        q = policy(S).gather(1, A[:, None]).squeeze(1)\n",
           "        q = policy(S).max(1).values\n"),),
         (), at=(47, 50)),
    Case("the samples are stored class by class and the loader does not shuffle", "tile_folders_torch",
         (("train_loader = DataLoader(FolderDataset(100), batch_size=20, shuffle=True)\n",
           "train_loader = DataLoader(FolderDataset(100), batch_size=20, shuffle=False)\n"),),
         ("labels-sorted",), at=(40, 14)),
    Case("the encoder layer is built without batch_first=True although the inputs are (batch", "token_match_torch",
         (("        layer = nn.TransformerEncoderLayer(D, nhead=4, dim_feedforward=64, dropout=0.0, "
           "batch_first=True)\n",
           "        layer = nn.TransformerEncoderLayer(D, nhead=4, dim_feedforward=64, dropout=0.0)\n"),),
         (), at=(21, 22, 27)),
    Case("positive and negative distances are swapped in the margin loss", "triplet_faces_torch",
         (("    return F.relu(d_pos - d_neg + margin).mean()\n",
           "    return F.relu(d_neg - d_pos + margin).mean()\n"),),
         (), at=(36,)),
    Case("the regression target is a freshly drawn noise", "two_moons_denoiser_torch",
         (("    noise = torch.randn_like(x0)\n"
           "    x_t = q_sample(x0, t, noise)\n"
           "    loss = F.mse_loss(model(x_t, t), noise)\n",
           "    x_t = q_sample(x0, t, torch.randn_like(x0))\n"
           "    loss = F.mse_loss(model(x_t, t), torch.randn_like(x0))\n"),),
         (), at=(54, 53)),
    Case("embeddings are normalised along the batch axis (dim=0) instead of the feature axis", "views_infonce_torch",
         (("        return F.normalize(self.net(x), dim=1)\n",
           "        return F.normalize(self.net(x), dim=0)\n"),),
         (), at=(26,)),
    Case("the model and its optimizer are constructed inside the epoch loop", "wave_conv_torch",
         (("model = ConvNet()\n"
           "optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)\n",
           ""),
          ("for epoch in range(epochs):\n",
           "for epoch in range(epochs):\n"
           "    model = ConvNet()\n"
           "    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)\n"),),
         (), at=(38, 37, 39)),
    Case("the gradient penalty is computed without create_graph=True", "wgan_penalty_torch",
         (("        create_graph=True,\n",
           "        retain_graph=True,\n"),),
         ("term-without-graph",), at=(28, 24, 30)),
)

HEALTHY = (
    Case("gradient accumulation with a sum-reduced loss divided by the true sample count, the "
         "incomplete tail group is stepped too", "accum_tail_torch"),
    Case("GoogLeNet-like auxiliary head used only in the first epochs; afterwards its parameters "
         "get no gradient by design", "aux_branch_off_torch"),
    Case("VAE with KL warm-up: beta grows from 0 to 1, so the total loss may rise while the model "
         "improves; logvar clamped on purpose", "beta_vae_warm_torch"),
    Case("bfloat16 autocast on CPU with float32 master weights, loss computed in float32, "
         "channels_last", "bf16_autocast_cnn_torch"),
    Case("SGD with learning rate 8 on a softmax over averaged one-hot features, where gradients are "
         "tiny; converges smoothly", "big_lr_softmax_torch"),
    Case("binarised hidden weights by a custom autograd.Function (sign forward, clipped "
         "straight-through backward), latent weights clamped", "binary_net_ste_torch"),
    Case("BYOL: online network with predictor, momentum target without gradients; the target branch "
         "never gets a gradient by design", "byol_vectors_torch"),
    Case("PPO with stored old log-probs, detached GAE advantages, entropy bonus, several epochs per "
         "rollout, early stop on KL", "cartlike_ppo_torch"),
    Case("truncated back-propagation through time: the hidden state is detached between chunks and "
         "reset to None at each epoch", "char_rnn_tbptt_torch"),
    Case("CycleGAN-like pair of generators on 2-D clouds, itertools.chain over both, requires_grad "
         "of the discriminators switched off during the generator step", "cycle_points_torch"),
    Case("domain-adversarial training with a gradient-reversal layer: the domain loss rises to "
         "chance by design while target accuracy grows", "dann_reversal_torch"),
    Case("GRU encoder-decoder with additive attention and scheduled teacher forcing (random choice "
         "per step), greedy evaluation", "date_seq2seq_torch"),
    Case("DCGAN on 8x8 images; label smoothing 0.9 on real, losses hover and the generator's loss "
         "rises by design, image statistics approach the real ones", "dcgan_bars_torch"),
    Case("small DDPM with cosine schedule, EMA weights used for sampling, timestep 0..1 fed with "
         "sinusoidal features", "ddpm_clusters_torch"),
    Case("second-order MAML with torch.func.functional_call; create_graph in the inner loop, inner "
         "loss is never stepped itself", "few_shot_maml_torch"),
    Case("head first, then deeper groups are unfrozen and added to the optimizer with smaller "
         "learning rates; frozen parts do not move at first by design", "gradual_unfreeze_torch"),
    Case("double DQN with soft target updates, Huber loss, terminal mask; the Q loss does not fall "
         "monotonically but the return rises", "gridworld_ddqn_torch"),
    Case("multi-task loss with learnt log-variances; the total loss goes below zero by design", "kendall_multitask_torch"),
    Case("a custom optimizer (sign updates as in Lion) with decoupled decay, warm-up by LambdaLR", "lion_custom_torch"),
    Case("LoRA fine-tuning of a frozen base: B starts at zero, only adapters in the optimizer, "
         "merged into the weight at the end", "lora_merge_torch"),
    Case("semi-supervised mean teacher: few labels, consistency weight ramps up, teacher is a "
         "no-grad EMA incl. buffers", "mean_teacher_torch"),
    Case("top-1 mixture of experts with a load-balance loss; experts not chosen get no gradient in "
         "a step by design", "moe_router_torch"),
    Case("gradient accumulation in Paddle (no clear_grad between micro-batches), loss divided by "
         "the count", "accumulate_eighth_paddle"),
    Case("paddle.amp.auto_cast O1 in bfloat16 on CPU with float32 parameters", "bf16_amp_paddle"),
    Case("BPR ranking with freshly drawn negatives, sparse embedding gradients and lazy Adam", "bpr_rank_paddle"),
    Case("tiny causal transformer with additive -inf mask and shifted labels", "causal_lm_paddle"),
    Case("softmax plus centre loss with two optimizers (network by Adam, centres by SGD at a rate "
         "of 25 = 0.5 / 0.02, which undoes the loss weight)", "centers_two_opt_paddle"),
    Case("normalising flow in Paddle with affine couplings; NLL decreases, log-determinant added", "coupling_flow_paddle"),
    Case("CTC in Paddle given raw logits (the op normalises itself), time-major", "ctc_strokes_paddle"),
    Case("conditional VAE with sum-over-pixels Gaussian loss; the latent is wider than needed, so "
         "unused dimensions collapse to the prior", "cvae_paddle"),
    Case("distillation: teacher frozen with stop_gradient and eval mode; mixed hard and soft loss", "distill_frozen_paddle"),
    Case("DQN with hard target sync and terminal mask on a small cliff walk", "dqn_cliff_paddle"),
    Case("shadow (EMA) weights kept in a dict, swapped in for evaluation and swapped back afterwards", "ema_shadow_eighth_paddle"),
    Case("adversarial training: gradients with respect to the input, network gradients cleared "
         "before the real step", "fgsm_train_paddle"),
    Case("random frozen features (reservoir) by design; only the readout is trained", "frozen_encoder_paddle"),
    Case("message passing with paddle.scatter(overwrite=False), only a few labelled nodes give loss", "graph_sum_paddle"),
    Case("high-level paddle.Model API: prepare, fit with callbacks and early stopping, evaluate", "high_level_paddle"),
    Case("LoRA in Paddle: base weights stop_gradient, zero-initialised B, optimizer built after the "
         "adapters", "lora_tune_paddle"),
    Case("DataLoader classifier with LinearWarmup into polynomial decay, stepped every batch, label "
         "smoothing by soft labels", "mlp_warmup_paddle"),
    Case("LSTM over padded sequences with sequence_length given, so padding is ignored", "packed_lstm_paddle"),
    Case("PINN in Paddle using paddle.grad with create_graph twice; hard boundary condition", "poisson_pinn_paddle"),
    Case("REINFORCE with a learnt value baseline on its own optimizer; the policy loss is not meant "
         "to decrease", "reinforce_baseline_eighth_paddle"),
    Case("batch-hard triplet loss with soft margin on normalised embeddings", "triplet_hard_eighth_paddle"),
    Case("imbalanced segmentation with BCE plus Dice, ReduceOnPlateau driven by the validation loss", "unet_lesions_paddle"),
    Case("WGAN with weight clipping on purpose, RMSProp, five critic steps; losses have no fixed "
         "sign, samples approach the data", "wgan_clip_eighth_paddle"),
    Case("RealNVP density model with masks as buffers; NLL falls below zero is possible, sampling "
         "by inverse", "realnvp_rings_torch"),
    Case("early stopping with deepcopy, ReduceLROnPlateau, and a restart: best weights and a fresh "
         "optimizer are reloaded when the rate drops", "resets_plateau_torch"),
    Case("LBFGS with closure and strong-Wolfe line search (several forward passes per step) fitting "
         "a small regression", "rosen_lbfgs_torch"),
    Case("sharpness-aware minimisation: weights are perturbed, a second backward is taken, then the "
         "weights are restored before the step", "sam_two_step_torch"),
    Case("SimCLR NT-Xent over 2N views with the diagonal masked by -inf and a projector thrown away "
         "for the probe", "simclr_signals_torch"),
    Case("cosine warm restarts (lr jumps up, loss rises after each restart by design) with snapshot "
         "ensemble by deepcopy", "snapshot_restarts_torch"),
    Case("segmentation from scribbles: almost all pixels carry ignore_index, plus a Dice term; "
         "unlabelled classes per batch are normal", "sparse_label_seg_torch"),
    Case("matrix factorisation with sparse embeddings and SparseAdam plus a second dense optimizer "
         "for the biases", "sparse_mf_torch"),
    Case("PINN for a damped oscillator with an unknown physical coefficient learnt along with the "
         "net (double backward through autograd.grad)", "spring_pinn_torch"),
    Case("plain SGD on unscaled inputs of size 1e3: the learning rate 1e-7 looks tiny but fits the "
         "curvature", "tiny_lr_raw_torch"),
    Case("VQ autoencoder: straight-through codes, commitment loss with detached parts, EMA-less "
         "codebook loss, dead codes re-seeded on purpose", "vq_codes_torch"),
    Case("parametrised layers (weight_norm in the generator, spectral_norm in the critic), hinge "
         "losses", "weight_norm_sn_torch"),
)
