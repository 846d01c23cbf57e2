//! Gzip in members of one mebibyte, compressed by several threads and written in order.
//!
//! A file of several members is plain gzip (RFC 1952, section 2.2). Where a member ends depends on the input alone, so the
//! output does not depend on the number of threads.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use flate2::{Compression, GzBuilder};

/// Bytes of input per member.
const MEMBER: usize = 1 << 20;

/// zlib's own default: past it, the sizes of logs and JSON shrink by a percent at twice the time.
const LEVEL: u32 = 6;

type Packed = io::Result<Vec<u8>>;
type Job = (Vec<u8>, SyncSender<Packed>);

/// A writer that compresses. Complete only after [`ParallelGzip::finish`].
pub(super) struct ParallelGzip<W> {
    sink: W,
    block: Vec<u8>,
    jobs: Option<SyncSender<Job>>,
    pending: VecDeque<Receiver<Packed>>,
    most: usize,
    wrote: bool,
    workers: Vec<JoinHandle<()>>,
}

impl<W: Write> ParallelGzip<W> {
    pub(super) fn new(sink: W, threads: usize) -> Self {
        let threads = threads.clamp(1, 64);
        let (jobs, queue) = sync_channel::<Job>(threads);
        let queue = Arc::new(Mutex::new(queue));
        let workers = (0..threads)
            .map(|_| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || work(&queue))
            })
            .collect();
        Self {
            sink,
            block: Vec::with_capacity(MEMBER),
            jobs: Some(jobs),
            pending: VecDeque::new(),
            most: threads * 2,
            wrote: false,
            workers,
        }
    }

    /// Compresses what is left, writes everything, and gives the sink back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() || !self.wrote {
            self.submit()?;
        }
        while !self.pending.is_empty() {
            self.write_oldest()?;
        }
        // Closing the queue ends the workers; they hold nothing that is still wanted.
        self.jobs = None;
        for worker in std::mem::take(&mut self.workers) {
            worker.join().map_err(|_| io::Error::other("a compressing thread crashed"))?;
        }
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn submit(&mut self) -> io::Result<()> {
        if self.pending.len() >= self.most {
            self.write_oldest()?;
        }
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(MEMBER));
        let (answer, packed) = sync_channel(1);
        let gone = || io::Error::other("the compressing threads are gone");
        self.jobs.as_ref().ok_or_else(gone)?.send((block, answer)).map_err(|_| gone())?;
        self.pending.push_back(packed);
        self.wrote = true;
        Ok(())
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(packed) = self.pending.pop_front() else { return Ok(()) };
        let packed =
            packed.recv().map_err(|_| io::Error::other("a compressing thread crashed"))??;
        self.sink.write_all(&packed)
    }
}

impl<W: Write> Write for ParallelGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MEMBER - self.block.len();
        let taken = bytes.len().min(room);
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == MEMBER {
            self.submit()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((block, answer)) = job else { return };
        // Nobody waits any more when packing was given up.
        let _ = answer.send(member(&block));
    }
}

/// One member: no name, no time, "unknown" as the operating system.
fn member(block: &[u8]) -> Packed {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::with_capacity(block.len() / 4), Compression::new(LEVEL));
    encoder.write_all(block)?;
    encoder.finish()
}
