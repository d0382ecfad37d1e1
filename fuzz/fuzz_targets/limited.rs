//! The system's allocator with a limit; libFuzzer's own needs a sanitizer, which needs a nightly compiler.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

pub struct Limited {
    most: usize,
    allocated: AtomicUsize,
}

impl Limited {
    pub const fn to(most: usize) -> Self {
        Self { most, allocated: AtomicUsize::new(0) }
    }

    fn count(&self, bytes: usize) {
        let before = self.allocated.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.most && before <= self.most {
            eprintln!("{bytes} bytes more than the {before} that are allocated; the limit is {}", self.most);
            eprintln!("{}", Backtrace::force_capture());
            process::abort();
        }
    }
}

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.allocated.fetch_sub(layout.size(), Ordering::Relaxed);
        self.count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.allocated.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
