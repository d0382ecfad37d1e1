//! The pixels of a PNG.

use std::io::Cursor;

/// The pixels of a picture, row by row.
pub struct Pixels {
    /// Number of pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Red, green, blue and opacity of each pixel.
    pub bytes: Vec<u8>,
}

impl Pixels {
    /// The pixels of a `png`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(png: &[u8]) -> Result<Self, String> {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
        let mut bytes = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
        let frame = reader.next_frame(&mut bytes).map_err(|e| e.to_string())?;
        bytes.truncate(frame.buffer_size());
        Ok(Self { width: frame.width as usize, height: frame.height as usize, bytes })
    }

    /// These pixels as a PNG.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&self) -> Result<Vec<u8>, String> {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
        writer.write_image_data(&self.bytes).and_then(|()| writer.finish()).map_err(|e| e.to_string())?;
        Ok(png)
    }
}
