//! Fashion-MNIST: images of clothing in the format of MNIST.
//!
//! # Reference
//! Xiao, Rasul & Vollgraf 2017 (arXiv 1708.07747).

use super::images::PART;
use super::{PublishedFile, Source, Spec, idx};

pub(super) const SPEC: Spec = Spec {
    name: "fashion-mnist",
    summary: "70000 images of clothing of 28 x 28 pixels (Xiao, Rasul & Vollgraf 2017), from their IDX files",
    parameters: &[PART],
    source: Source::Files {
        files: &[
            PublishedFile {
                name: "train-images-idx3-ubyte.gz",
                bytes: 26_421_880,
                sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            },
            PublishedFile {
                name: "train-labels-idx1-ubyte.gz",
                bytes: 29_515,
                sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            },
            PublishedFile {
                name: "t10k-images-idx3-ubyte.gz",
                bytes: 4_422_102,
                sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            },
            PublishedFile {
                name: "t10k-labels-idx1-ubyte.gz",
                bytes: 5_148,
                sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            },
        ],
        mirrors: &[
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ],
        read: idx::read,
    },
};
