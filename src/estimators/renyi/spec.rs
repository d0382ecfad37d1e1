//! The parameters of `renyi` in pipelines and commands.

use super::{KernelConvention, KernelWidth, Renyi};
use crate::estimators::{Spec, build_each};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters};

pub(in crate::estimators) const SPEC: Spec = Spec {
    name: "renyi",
    summary: "matrix-based Rényi entropies of kernel matrices, and I = S(A) + S(B) - S(A,B), at most log2 of the number of samples; not Shannon information",
    of_pair: "matrix-based Rényi information; not Shannon information",
    parameters: &[
        Parameter {
            name: "order",
            doc: "order alpha of the entropy, at least 1; 1 is the von Neumann entropy, and 2 needs no eigenvalues",
            kind: Kind::Positive,
            default: "1,1.01,2",
        },
        Parameter {
            name: "kernel",
            doc: "kernel of two samples at distance d, named after the paper that uses it: exp(-d^2/(2 sigma^2)) (ipdl), exp(-d^2/sigma^2) (wickstrom) or exp(-d^2/sigma) (yu)",
            kind: Kind::Choice(&["ipdl", "wickstrom", "yu"]),
            default: "ipdl",
        },
        Parameter {
            name: "width",
            doc: "how the width sigma of the kernel of T is chosen in every layer and snapshot if sigma is not given: by the spread and the number of samples (silverman, the default), or so that the kernel is most similar to that of the labels (alignment), by which the labels influence I(X;T) also",
            kind: Kind::Choice(&["silverman", "alignment"]),
            default: "",
        },
        Parameter {
            name: "sigma",
            doc: "fixed width of the kernels of T and X, in units of the values (kernel yu: in squared units); excludes width",
            kind: Kind::Positive,
            default: "",
        },
    ],
    build: |sets| build_each(sets, renyi),
    choose: |_, _| None,
};

fn renyi(parameters: &Parameters) -> Result<Renyi, ParameterError> {
    let kernel = match parameters.text("kernel") {
        Some("wickstrom") => KernelConvention::Wickstrom,
        Some("yu") => KernelConvention::Yu,
        _ => KernelConvention::Ipdl,
    };
    let width = match (parameters.number("sigma"), parameters.text("width")) {
        (Some(_), Some(_)) => return Err(ParameterError::Exclusive { first: "sigma", second: "width" }),
        (Some(sigma), None) => KernelWidth::Fixed(sigma),
        (None, Some("alignment")) => KernelWidth::Alignment,
        (None, _) => KernelWidth::Silverman,
    };
    let order = parameters.number("order").expect("the order has a default");
    Ok(Renyi::order(order)?.kernel(kernel).width(width)?)
}
