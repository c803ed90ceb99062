"""Plain-Python twin of `neurohw.chips.spinnaker`: whole numbers of any size, one neuron at a time.

Nothing here is shared with the package, so an error would have to be made twice. Written from the rules of the C code,
whose files the package's modules name.
"""

import math
from decimal import ROUND_HALF_EVEN, Decimal

HI = [9708, 26389, 71733, 194991, 530041, 1440801, 3916503, 10646160, 28939262, 78665070, 213833830, 581260615]
HI += [1580030169, 4294967296, 11674931555, 31735754293, 86266724208, 234497268814, 637429664642, 1732713474316]
HI += [4710003551159, 12803117065094, 34802480465680, 94602950235157, 257157480542844, 699026506411923]
MID = [0, 260218914, 504671961, 734314346, 950043403, 1152702096, 1343082321, 1521927990, 1689937949, 1847768698]
MID += [1996036966, 2135322113, 2266168400, 2389087112, 2504558555, 2613033936]


def wrap32(x):
    return (x + 2**31) % 2**32 - 2**31


def u32(x):
    return x % 2**32


def encode(value):
    return int((Decimal(str(value)) * 32768).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def m(a, b):
    return wrap32((a * b) >> 15)


def decay(x, d):
    return wrap32((x * u32(d)) >> 32)


def kdivk(a, b):
    return wrap32((u32(a) << 15) // u32(b))


def s1615_to_u032(x, d):
    return u32((u32(x) * u32(d)) >> 15)


def _expi64(n):
    def round64(v):
        return (v >> 32) + (1 if v % 2**32 >= 2**31 - 1 else 0)

    def scale64(x, y):
        return round64((x % 2**32) * y) + (x >> 32) * y

    z = n >> 15
    f = n - (z << 15)
    if f == 0:
        return HI[13 + z]
    z, f = z + 1, 32768 - f
    t = HI[13 + z]
    t -= scale64(t, MID[f >> 11])
    y = (f & 0x7FF) << 17
    s = u32(4293434720 - ((2081624032 * y) >> 32))
    return t - scale64(t, ((s * y) >> 32) + 5294)


def expk(n):
    return 2**31 - 1 if n > 363408 else 0 if n < -340695 else wrap32(_expi64(n) >> 17)


def expulr(n):
    return 2**31 - 1 if n > 363408 else 0 if n < -340695 else u32(_expi64(n))


class Exponential:
    def __init__(self, tau, ts):
        self.d = expulr(wrap32(-kdivk(ts, tau)))
        self.init = s1615_to_u032(kdivk(tau, ts), 0xFFFFFFFF - self.d)
        self.x = 0

    def add(self, i):
        self.x = wrap32(self.x + decay(i, self.init))

    def value(self):
        return self.x

    def shape(self):
        self.x = decay(self.x, self.d)


class Alpha:
    def __init__(self, tau, ts):
        self.d = expulr(wrap32(-kdivk(ts, tau)))
        self.dt_tau2 = kdivk(ts, m(tau, tau)) & 0x7FFF
        self.lin = self.exp = self.q = 0

    def add(self, i):
        if i > 0:
            self.q = i
            self.exp = wrap32(decay(self.exp, self.d) + 32768)
            rest = 2**32 - 1 if self.exp == 0 else kdivk(32768, self.exp)
            self.lin = m(wrap32(self.lin + m(i, self.dt_tau2)), wrap32(32768 - rest))

    def value(self):
        return m(self.lin, self.exp)

    def shape(self):
        self.lin = wrap32(self.lin + m(self.q, self.dt_tau2))
        self.exp = decay(self.exp, self.d)


class Delta:
    def __init__(self, _tau, _ts):
        self.x = 0

    def add(self, i):
        self.x = wrap32(self.x + i)

    def value(self):
        return self.x

    def shape(self):
        self.x = 0


class Lif:
    def __init__(self, raw):
        ts = raw["time_step"]
        self.v, self.refract = raw["v"], 0
        names = ("v_rest", "v_reset", "i_offset", "v_thresh")
        self.rest, self.reset, self.offset, self.thresh = (raw[k] for k in names)
        self.r = kdivk(raw["tau_m"], raw["cm"])
        self.tc = expk(wrap32(-kdivk(ts, raw["tau_m"])))
        steps = kdivk(raw["tau_refrac"], ts)
        self.t_refract = (steps >> 15) + ((steps & 0x7FFF) > 0)

    def update(self, current):
        if self.refract <= 0:
            alpha = wrap32(m(wrap32(current + self.offset), self.r) + self.rest)
            self.v = wrap32(alpha - m(self.tc, wrap32(alpha - self.v)))
        else:
            self.refract -= 1
        fired = self.v >= self.thresh
        if fired:
            self.v, self.refract = self.reset, self.t_refract
        return fired


class Izhikevich:
    source_order = False  # True: the products as the C text groups them, which is NOT what the binary does

    def __init__(self, raw):
        self.a, self.b, self.c, self.d, self.v, self.u, self.offset = (
            raw[k] for k in ("a", "b", "c", "d", "v", "u", "i_offset")
        )
        self.h = self.reset_h = raw["time_step"]

    def update(self, current):
        h, v, u = self.h, self.v, self.u
        pre = wrap32(4587520 + current + self.offset - u)
        alpha = wrap32(pre + m(wrap32(163840 + m(1311, v)), v))
        eta = wrap32(v + m(m(h, alpha), 16384))
        ah = m(self.a, h)
        if self.source_order:
            beta = m(m(m(h, wrap32(m(self.b, v) - u)), self.a), 16384)
        else:
            beta = m(m(wrap32(m(self.b, v) - u), ah), 16384)
        self.v = wrap32(v + m(h, wrap32(pre - beta + m(wrap32(163840 + m(1311, eta)), eta))))
        self.u = wrap32(u + m(ah, wrap32(-u - beta + m(self.b, eta))))
        self.h = self.reset_h
        fired = self.v >= 983040
        if fired:
            self.v, self.u, self.h = self.c, wrap32(self.u + self.d), m(self.reset_h, 60620)
        return fired


MODELS = {
    "IF_curr_exp": (Lif, Exponential, "curr"),
    "IF_cond_exp": (Lif, Exponential, "cond"),
    "IF_curr_alpha": (Lif, Alpha, "curr"),
    "IF_curr_delta": (Lif, Delta, "delta"),
    "IZK_curr_exp": (Izhikevich, Exponential, "curr"),
    "IZK_cond_exp": (Izhikevich, Exponential, "cond"),
}


class Neuron:
    """One neuron of a model; `raw` maps parameter names (and time_step, v, u) to s16.15 words."""

    def __init__(self, model, raw):
        soma, synapse, self.input_type = MODELS[model]
        self.raw = raw
        self.soma = soma(raw)
        self.exc = synapse(raw.get("tau_syn_E"), raw["time_step"])
        self.inh = synapse(raw.get("tau_syn_I"), raw["time_step"])

    def step(self, ring_exc, ring_inh, shift_exc, shift_inh):
        """One tick -> (fired, what PyNN records: V, gsyn_exc, gsyn_inh)."""
        self.exc.add(wrap32(ring_exc << shift_exc))
        self.inh.add(wrap32(ring_inh << shift_inh))
        exc, inh, v = self.exc.value(), self.inh.value(), self.soma.v
        if self.input_type == "cond":
            exc, inh = exc >> 10, inh >> 10
        recorded = v, exc, inh
        if self.input_type == "cond":
            exc = m(exc, wrap32(self.raw["e_rev_E"] - v))
            inh = m(-inh, wrap32(self.raw["e_rev_I"] - v))
        if self.input_type == "delta":
            scale = kdivk(32768, self.raw["time_step"])
            exc, inh = m(exc, scale), m(inh, scale)
        fired = self.soma.update(wrap32(exc - inh))
        self.exc.shape()
        self.inh.shape()
        return fired, recorded


def shift(w):
    """The left shift for a largest expected sum of weights `w` (in units of the raw weights)."""
    power = 0 if w <= 0 else math.ceil(max(0, math.log2(w)))
    return power + 1 if 2**power <= w else power


def table(tau, dt):
    size = math.log(2048) / (dt / tau)
    half, extra = divmod(size, 2)
    return [math.floor(math.exp(-i * (dt / tau)) * 2048) for i in range(2 * (int(half) + (extra > 0)))]


def wrap16(x):
    return (x + 2**15) % 2**16 - 2**15


def look(entries, i):
    return entries[u32(i)] if u32(i) < len(entries) else 0


class PostHistory:
    def __init__(self):
        self.events = [(0, 0)]

    def add(self, t, entries):
        last, trace = self.events[-1]
        if len(self.events) == 16:
            del self.events[1]
        self.events.append((t, wrap16(((trace * look(entries, t - last)) >> 11) + 2048)))


def pair_update(rule, t, last_t, last_trace, weight, history, lag, plus, minus):
    """The new u16 weight of one synapse at a pre spike; `rule` = (multiplicative, shift, w_min, w_max, A+, A-)."""
    multiplicative, shift, w_min, w_max, a_plus, a_minus = rule
    begin, end = max(last_t - lag, 0), max(t - lag, 0)
    w = weight << shift
    for post, _ in history.events[1:]:
        if begin < post <= end and post + lag > last_t:
            p = wrap32((last_trace * look(plus, post + lag - last_t)) >> 11 << 4)
            if multiplicative:
                w = wrap32(w + m(m(wrap32(w_max - w), a_plus), p))
            else:
                w = min(wrap32(w + m(a_plus, p)), w_max)
    reached = [e for e in history.events[1:] if e[0] <= end]
    if reached:
        post, trace = reached[-1]
        p = wrap32((trace * look(minus, t - post - lag)) >> 11 << 4)
        if multiplicative:
            w = wrap32(w - m(m(wrap32(w - w_min), a_minus), p))
        else:
            w = max(wrap32(w - m(a_minus, p)), w_min)
    return (w >> shift) % 65536
