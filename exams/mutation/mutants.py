"""The mutants: one small fault each, in what decides a verdict."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """`old` occurs once in `file` and becomes `new`; `what` would go unseen, or be seen where nothing is."""

    name: str
    file: str
    old: str
    new: str
    what: str


JUDGE, FINDINGS, FLOORS = "parity/verdict/judge.py", "parity/verdict/findings.py", "parity/verdict/floors.py"
SINKS, ARRAYS, PAIRING = "parity/verdict/sinks.py", "parity/numbers/arrays.py", "parity/pairing/correspondence.py"
LINES, MAGNITUDES, STEPS = "parity/trace/lines.py", "parity/trace/magnitudes.py", "parity/steps/reference.py"
LOWERING = "parity/frameworks/lowering.py"

MUTANTS = [
    # the judge
    Mutant("judge: one floor is noise", JUDGE, "Verdict.SAME if multiple <= 1 else", "Verdict.SAME if multiple < 1 else",
           "the same value is noise where its distance is the floor"),
    Mutant("judge: M floors diverge", JUDGE, "Verdict.NOISE if multiple <= self.limit", "Verdict.NOISE if multiple < self.limit",
           "the border of noise"),
    Mutant("judge: no floor, no distance", SINKS, 'float("inf") if distance else 0.0', "0.0",
           "any difference of an exact value is the same"),
    Mutant("judge: NaN everywhere counts", JUDGE, "if deviation.nans and deviation.nans == deviation.size:", "if False:",
           "two programs of nothing but NaN are the same"),
    Mutant("judge: a missing border is uncompared", JUDGE,
           "verdict = Verdict.UNCOMPARED if event.key.is_local or apart else Verdict.DIVERGED\n        deviation = Deviation(np.inf, trouble=say(\"exists in the reference only\")",
           "verdict = Verdict.UNCOMPARED\n        deviation = Deviation(np.inf, trouble=say(\"exists in the reference only\")",
           "a layer that the twin never calls"),
    Mutant("judge: an extra border is uncompared", JUDGE,
           "verdict = Verdict.UNCOMPARED if event.key.is_local else Verdict.DIVERGED\n        before",
           "verdict = Verdict.UNCOMPARED\n        before", "a layer that only the twin calls"),
    Mutant("judge: the last good is the last", JUDGE, "for event in reversed(agreed) if Order(event.order) < first), None)",
           "for event in reversed(agreed)), None)", "the place before the fault"),
    Mutant("judge: a replay judges what it was given", JUDGE, 'return (self.run == "replay" and', 'return (self.run == "free" and',
           "gradients that are the reference's own"),
    # the headline and the places
    Mutant("headline: the lane before the census", FINDINGS,
           "return census_first, _lane(finding.lane), replayed, finding.key.step, finding.order",
           "return _lane(finding.lane), census_first, replayed, finding.key.step, finding.order", "which finding is named first"),
    Mutant("headline: a replay like a free run", FINDINGS, 'replayed = 1 if finding.run == "replay" else 0', "replayed = 0",
           "which finding is named first"),
    Mutant("headline: steps do not count", FINDINGS, "replayed, finding.key.step, finding.order", "replayed, finding.order",
           "which finding is named first"),
    Mutant("headline: the last", FINDINGS, "return min(self.diverged, key=_headline, default=None)",
           "return max(self.diverged, key=_headline, default=None)", "which finding is named first"),
    Mutant("report: nothing compared is same", FINDINGS, "        if self.compared <= self.census and not self.diverged and not self.undecided:\n", "        if False:\n",
           "a comparison that compared nothing"),
    Mutant("report: unseen is same", FINDINGS, "        if self.unseen and not self.diverged:\n", "        if False:\n",
           "an output that nobody looked at"),
    Mutant("places: fed modules too", FINDINGS,
           "                module = _around(module, named)  # what a module is fed is made by the one around it",
           "                pass", "the module at fault"),
    Mutant("places: every gradient", FINDINGS, "finding.deviation in fed_back", "False", "the module at fault"),
    Mutant("places: of every lane", FINDINGS, "            if finding.lane == lane:\n", "            if True:\n", "the module at fault"),
    # floors
    Mutant("few: always one", FLOORS, "return max(1.0, 0.8 * FALSE_ALARMS ** (-1 / samples) / limit) if samples else 1.0",
           "return 1.0", "false alarms where a tensor has one element"),
    Mutant("few: the limit is forgotten", FLOORS, "few(seen.samples * to_come, limit)", "few(seen.samples * to_come, M)",
           "false alarms in float32"),
    Mutant("floors: the analysis is not believed", FLOORS, "return max(measured, min(eps * analysed, REFORMULATION * own or np.inf))",
           "return measured", "false alarms where the draws move nothing"),
    Mutant("floors: the analysis is always believed", FLOORS, "min(eps * analysed, REFORMULATION * own or np.inf)",
           "eps * analysed", "every fault behind a mask of -3e38"),
    Mutant("floors: integers round", FLOORS, "analysed if precision else 0.0", "analysed",
           "a wrong index in a large table"),
    Mutant("floors: float32 in any order", FLOORS, 'if summed or lane == "float64":', "if True:", "a naive sum over a whole feature map"),
    Mutant("floors: locals' gradients like all others", FLOORS,
           'summed = rounded is not None and key.stage == "gradients" and key.is_local', "summed = False", "false alarms of broadcasts"),
    Mutant("floors: float32 by one draw", FLOORS, "            if rounded is not None:\n", "            if False:\n",
           "false alarms where the reference's own error is small by luck"),
    Mutant("draws: the first stands", SINKS, "return Spread(max(self.largest, found.largest),",
           "return Spread(self.largest or found.largest,", "false alarms: the noise of one draw"),
    Mutant("draws: NaN is noise", SINKS, "        if not math.isfinite(found.largest):\n", "        if False:\n",
           "everything, where one draw overflows"),
    Mutant("draws: no rounding", FLOORS, "self._again(self.seen, Draw(number, rounding=not self._accuracy))",
           "self._again(self.seen, Draw(number, rounding=False))", "false alarms in float64"),
    Mutant("draws: forward sums in any order", FLOORS, "pairwise=not self._gradients)", "pairwise=False)",
           "a naive sum over a whole feature map"),
    Mutant("floors: all is beyond doubt", FLOORS, "limit * BEYOND < finding.floor_multiple < np.inf", "limit < finding.floor_multiple < np.inf",
           "one lucky draw would decide"),
    Mutant("floors: what no draw moved is beyond doubt", FLOORS, "return moved and limit", "return limit",
           "a floor that no draw has measured"),
    Mutant("carried: not relative", FLOORS, "distance / event.scale if event.scale else 0.0", "distance", "floors of values that grow"),
    Mutant("carried: from step to the same step", FLOORS,
           "known = self._relative.get(key._replace(step=0), 0.0)", "known = self._relative.get(key, 0.0)", "false alarms between the draws"),
    Mutant("--floor-every: always", STEPS, "fresh = step <= 2 or step % floor_every == 0", "fresh = True", "the option does nothing"),
    Mutant("--floor-every: never again", STEPS, "fresh = step <= 2 or step % floor_every == 0", "fresh = step <= 2",
           "floors of the first steps for all"),
    Mutant("--floor-every: nothing carried", STEPS, "draws if fresh else 0, tell, carried)", "draws if fresh else 0, tell)",
           "false alarms between the draws"),
    # strata, resolution
    Mutant("strata: never", SINKS, "stored.borders = () if stored.norm or stored.array is None else borders(stored.array)",
           "stored.borders = ()", "every fault beside a mask of -3e38"),
    Mutant("strata: the first counts", SINKS, "key=lambda found: multiple_of(found.distance, floor_at(floor, found.stratum))",
           "key=lambda found: -found.stratum", "a fault among the huge elements"),
    Mutant("resolution: none", JUDGE, "if verdict is not Verdict.DIVERGED and not self._seen(event, deviation):", "if False:",
           "whatever a floor as large as the value hides"),
    Mutant("resolution: of nothing that cancels", JUDGE, "max(deviation.scale, event.scale)\n", "deviation.scale\n",
           "healthy gradients of a bias before a norm are undecided"),
    Mutant("results: of any dtype", JUDGE, "if self._other_dtype(event.key, deviation):", "if False:", "int32 for int64"),
    # arrays
    Mutant("deviation: NaN is no distance", ARRAYS, "    out[odd] = np.inf\n", "    out[odd] = 0\n", "a NaN on one side"),
    Mutant("deviation: NaN is never NaN", ARRAYS, "same = both_nan | (left == right)", "same = left == right",
           "false alarms at common NaNs"),
    Mutant("deviation: the last block", ARRAYS, "        if largest > distance:\n", "        if True:\n",
           "a difference in a large array"),
    Mutant("in_norm: the worst element", ARRAYS, "    return replace(found, distance=distance, scale=", "    return replace(found, scale=",
           "false alarms and misses in Adam's updates"),
    Mutant("in_norm: never", SINKS, "return [in_norm(found, stored.array, array) if stored.norm else found]", "return [found]",
           "false alarms: one sign that Adam turned over"),
    # pairing
    Mutant("pairing: the user's word does not count", PAIRING, "                modules[one] = other\n", "                pass\n",
           "a name map"),
    Mutant("pairing: order before names", PAIRING, "for alike in (str, hints.plain):", "for alike in ():",
           "two layers of one shape swapped"),
    Mutant("pairing: guesses are not said", PAIRING, "        if rivals > 1:\n            self._ambiguous",
           "        if False:\n            self._ambiguous", "that an order was guessed"),
    Mutant("pairing: one tensor for two", PAIRING, "ours.remove(one), theirs.remove(other)", "ours.remove(one)",
           "a tensor of the twin that nobody loads"),
    # the span of a broadcast
    Mutant("span: of the last local", LINES,
           "return max([1.0, *(others / max(1, elements) for _, others in self._values.values())])",
           "return [1.0, *(others / max(1, elements) for _, others in self._values.values())][-1]", "false alarms of broadcasts"),
    Mutant("span: none", LINES, "return max([1.0, *(others / max(1, elements) for _, others in self._values.values())])",
           "return 1.0", "false alarms of broadcasts"),
    Mutant("span: the last counts", MAGNITUDES, "self._spans[name] = max(span, self._spans.get(name, 0.0))",
           "self._spans[name] = span", "false alarms of parameters that are used twice"),
    # mixed precision
    Mutant("lowering: nothing is kept in full", LOWERING, "half = None if black else region.dtype if lowers else half",
           "half = region.dtype if lowers else half", "a softmax that a list keeps in full"),
    Mutant("lowering: one operand is enough", LOWERING, "held[0] if held and None not in held else None", "held[0] if held else None",
           "a loss of both precisions, which is in full"),
    Mutant("lowering: a region that is off is none", LOWERING, "        self._regions.append(asked)\n",
           "        self._regions.append(asked or (self._regions or [None])[-1])\n", "products where autocast is switched off inside autocast"),
    Mutant("lowering: a norm is never in half", LOWERING, "kind == PRODUCTS or (kind == FULL and half is not None)", "kind == PRODUCTS",
           "a loss behind autocast"),
    Mutant("clipping: unscaled before or after", "parity/trace/clipping.py", "bool(reference.unscaled) != bool(twin.unscaled)", "False",
           "a clip before the gradients are unscaled"),
    # values under other names
    Mutant("elsewhere: exchanged values are other names", "parity/verdict/elsewhere.py", "return bool(others) and not any(",
           "return bool(others) or not any(", "two values exchanged"),
    Mutant("elsewhere: one side is enough", "parity/verdict/elsewhere.py",
           "apart and self._is_named_otherwise_here(key) and self._is_named_otherwise_there(key)",
           "apart and self._is_named_otherwise_here(key)", "another value of the reference's in the place of this one"),
    Mutant("elsewhere: the order of elements is nothing", "parity/verdict/prints.py",
           "placed = self.shape != other.shape or", "placed = True or", "rows in another order"),
    Mutant("acquit: gradients too", "parity/verdict/findings.py", 'and f.key.stage != "gradients"]', "]", "the place of a cut graph"),
    Mutant("acquit: whatever the replay finds inside", "parity/verdict/findings.py",
           "and not any(other.key.is_inside(f.key.module) for other in harmful)", "", "a mask that was forgotten"),
    Mutant("place: once and for all", FINDINGS, "if first is not None and first.key != known and", "if False and",
           "the line of what has come to be first, once what came before it was acquitted"),
    Mutant("convict: what comes later, too", FINDINGS, "and finding.order < first and", "and",
           "locals that follow from the first divergence"),
    Mutant("convict: what the free run has not seen", FINDINGS, "and finding.deviation.index is not None and", "and",
           "a local that one side alone has"),
    Mutant("flow: an argument is read where the function is called", "parity/verdict/flow.py",
           'if key.variable.startswith("argument "):  # read', "if False:  # read", "a mask of another dtype that is well"),
    Mutant("masks: other heads for others", "parity/verdict/masks.py", "return np.broadcast_to(mask, whole).reshape(shape)",
           "return np.broadcast_to(mask[:1], whole).reshape(shape)", "a mask that is another one in another example"),
]
