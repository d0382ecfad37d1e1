"""Makes tests/golden/decoder.json: held-out cross-entropies of multinomial logistic regression by scikit-learn. The tests of
src/estimators/decoder compare with it.

    pip install numpy scikit-learn && python tests/golden/decoder.py

No random numbers: T is a formula, rounded to 12 digits; sample i is in fold i mod 5. The coordinates are standardised with mean
and standard deviation (divisor N) of the training folds. `l2` is 1/C; with two classes scikit-learn has one vector of weights,
whose penalty is that of 2 l2 for two vectors, so C is 2/l2 there.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

N, N_DIMS, N_FOLDS = 120, 3, 5

T = np.array([[float(f"{np.sin(1.7391 * (N_DIMS * s + u)) * (1 + u):.12g}") for u in range(N_DIMS)] for s in range(N)])
NOISE = np.cos(np.arange(N) * 5.13)
SCORE = T[:, 0] + 0.5 * T[:, 1] + 0.7 * NOISE


def held_out(y, l2):
    fold = np.arange(N) % N_FOLDS
    total = 0.0
    for test in range(N_FOLDS):
        train = fold != test
        scaler = StandardScaler().fit(T[train])
        c = (2.0 if len(set(y)) == 2 else 1.0) / l2
        model = LogisticRegression(C=c, tol=1e-12, max_iter=100_000).fit(scaler.transform(T[train]), y[train])
        p = model.predict_log_proba(scaler.transform(T[~train]))
        total -= p[np.arange(len(p)), y[~train]].sum()
    return total / N


cases = []
for y in [(SCORE > 0).astype(int), np.digitize(SCORE, [-0.6, 0.5])]:
    for l2 in [1.0, 0.01, 30.0]:
        _, counts = np.unique(y, return_counts=True)
        h_y = -(counts / N * np.log(counts / N)).sum()
        cases.append({"y": y.tolist(), "l2": l2, "cross_entropy": held_out(y, l2), "h_y": h_y})

table = {"made_with": f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}", "n_dims": N_DIMS, "t": T.ravel().tolist(), "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(table) + "\n")
