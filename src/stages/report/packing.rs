//! Arrays of numbers as text for the page: base64 of little-endian bytes, decoded by `page/numbers.js`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Numbers as f32, NaN if missing; `None` if all numbers are missing.
pub(super) fn packed(numbers: impl Iterator<Item = Option<f64>>) -> Option<String> {
    let numbers: Vec<f32> = numbers.map(|number| number.map_or(f32::NAN, |number| number as f32)).collect();
    numbers.iter().any(|number| number.is_finite()).then(|| packed_all(&numbers))
}

pub(super) fn packed_all(numbers: &[f32]) -> String {
    STANDARD.encode(numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}

/// Shares from 0 to 1 as u16: whole numbers of 65535ths, which is more exact than a shade can show.
pub(super) fn packed_shares<'a>(shares: impl Iterator<Item = &'a f64>) -> String {
    let whole = |share: &f64| (share * f64::from(u16::MAX)).round() as u16;
    STANDARD.encode(shares.flat_map(|share| whole(share).to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_packed_little_endian_with_nan_if_missing() {
        assert_eq!(packed([None, None].into_iter()), None);
        // 1.0 is 0x3F800000, the quiet NaN 0x7FC00000.
        let bytes = STANDARD.decode(packed([Some(1.0), None].into_iter()).unwrap()).unwrap();
        assert_eq!(bytes, [0, 0, 0x80, 0x3F, 0, 0, 0xC0, 0x7F]);
    }

    #[test]
    fn shares_are_packed_as_65535ths() {
        let bytes = STANDARD.decode(packed_shares([0.0, 0.5, 1.0].iter())).unwrap();
        // 0.5 × 65535 = 32767.5, which rounds to 32768 = 0x8000.
        assert_eq!(bytes, [0, 0, 0, 0x80, 0xFF, 0xFF]);
    }
}
