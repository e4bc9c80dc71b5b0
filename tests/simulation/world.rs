//! A world: one loop, its peers, and everything that may happen to them, drawn from one seed.
//!
//! ```text
//!   seed ──► manners of this world ──► step, step, step … ──► settle ──► farewell
//!            (faults, limits, haste)   (one thing happens,    (all is     (everyone leaves;
//!                                       everything is          answered)   nothing is left)
//!                                       checked)
//! ```
//!
//! Nothing here depends on the time of day, on threads or on addresses in memory: the same seed is the same world.

mod invariants;
mod settle;

use std::collections::VecDeque;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use qibu::HttpSettings;
use qibu::testing::{Fault, PeerId, TestEvent, TestLoop};

use crate::check::{Check, Complaint, Facts};
use crate::script::{Ask, Exchange, Script, Talk, bytes_of};
use crate::server::{Desk, Ending, House, SharedBook, file, text};

/// How many things happen in a world before it settles.
pub(crate) const STEPS_PER_WORLD: usize = 600;

/// How many connections a world sees at most.
const MOST_PEERS: usize = 80;

/// One simulated server with its peers.
pub(crate) struct World {
    rng: Rng,
    manners: Manners,
    server: TestLoop,
    book: SharedBook,
    file: Arc<File>,
    peers: Vec<Peer>,
    next_id: u64,
    shut_down: ShutDown,
    /// What happened last, if anybody wants to know.
    story: Option<VecDeque<String>>,
}

/// How much has happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) steps: usize,
    pub(crate) clients: usize,
    /// That came, and were right.
    pub(crate) answers: usize,
}

/// What kind of world it is.
struct Manners {
    peers_at_once: usize,
    /// Of 1000 reads and writes, so many fall short.
    shorts: u32,
    /// So many block though they need not.
    blocks: u32,
    /// So many reset the connection.
    resets: u32,
    /// Of 100 peers, so many take their time to read.
    slow_readers: u8,
    /// How far the clock goes at once, in milliseconds.
    haste: u64,
    requests_per_connection: usize,
    /// At which step the server is told to shut down.
    shuts_down_at: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShutDown {
    NotYet,
    Told,
}

/// A peer as the world sees it.
struct Peer {
    id: PeerId,
    number: u64,
    script: Script,
    sent: usize,
    sending: Sending,
    reading: Reading,
    begun: Vec<Duration>,
    connected: Duration,
    was_reset: Arc<AtomicBool>,
    is_faulty: bool,
    notes: Vec<String>,
    check: Check,
    /// The deadline of a head that the server waits for: of that exchange, and as it was at first.
    within_head: Option<(usize, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    Finished,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    AsItComes,
    Slowly,
}

impl World {
    pub(crate) fn new(seed: u64, story: Option<VecDeque<String>>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let manners = Manners::choose(&mut rng);
        let book = SharedBook::default();
        let file = file().expect("a temporary file can be made");
        let desk = Desk { book: book.clone(), file: file.clone() };
        let mut settings = HttpSettings::default();
        settings.requests_per_connection = manners.requests_per_connection as u64;
        settings.pipeline_depth = rng.u32(1..20);
        let server = TestLoop::with_worker_queue(House::new(desk, settings), rng.usize(1..8));
        let shut_down = ShutDown::NotYet;
        Self { rng, manners, server, book, file, peers: Vec::new(), next_id: 0, shut_down, story }
    }

    /// Lets everything happen, and returns how much that was.
    pub(crate) fn run(&mut self) -> Result<Tally, Complaint> {
        for step in 0..STEPS_PER_WORLD {
            self.happen(step)?;
            self.look_around()?;
        }
        self.settle()?;
        self.say_farewell()?;
        let answers = self.peers.iter().map(|peer| peer.check.answers()).sum();
        Ok(Tally { steps: STEPS_PER_WORLD, clients: self.peers.len(), answers })
    }

    pub(crate) fn story(&self) -> impl Iterator<Item = &String> {
        self.story.iter().flatten()
    }

    // ---- what happens ----

    /// One thing happens.
    fn happen(&mut self, step: usize) -> Result<(), Complaint> {
        if self.manners.shuts_down_at == Some(step) {
            self.tell(|| "the server is told to shut down".into());
            self.shut_down = ShutDown::Told;
            self.server.shut_down();
            return Ok(());
        }
        match self.rng.u32(..1000) {
            0..=79 => self.connect(),
            80..=379 => self.with_peer(Self::send_some),
            380..=499 => return self.with_peer_checked(Self::receive),
            500..=559 => self.with_peer(Self::open_window),
            560..=574 => self.with_peer(Self::finish),
            575..=577 => self.with_peer(Self::reset),
            578..=599 => self.post_note(),
            600..=629 => self.let_time_pass(),
            630..=719 => self.produce(),
            _ => self.take_step(),
        }
        Ok(())
    }

    fn with_peer(&mut self, act: impl FnOnce(&mut Self, usize)) {
        let open: Vec<usize> = self.present().collect();
        if let Some(index) = self.rng.choice(open) {
            act(self, index);
        }
    }

    fn with_peer_checked(
        &mut self,
        act: impl FnOnce(&mut Self, usize) -> Result<(), Complaint>,
    ) -> Result<(), Complaint> {
        let open: Vec<usize> = self.present().collect();
        self.rng.choice(open).map_or(Ok(()), |index| act(self, index))
    }

    /// The peers who have not seen the end.
    fn present(&self) -> impl Iterator<Item = usize> {
        self.peers.iter().enumerate().filter(|(_, peer)| !peer.check.has_ended()).map(|(index, _)| index)
    }

    fn connect(&mut self) {
        if self.present().count() >= self.manners.peers_at_once
            || self.peers.len() >= MOST_PEERS
            || self.shut_down == ShutDown::Told
        {
            return;
        }
        let talk = match self.rng.u8(..10) {
            0 => Talk::Lines,
            1 => Talk::HttpBehindDoor,
            2 => Talk::LinesAfterUpgrade,
            _ => Talk::Http,
        };
        let number = self.peers.len() as u64;
        let script = Script::new(&mut self.rng, talk, &mut self.next_id, self.manners.requests_per_connection);
        let port = u16::try_from(2 * number).expect("there are few") + u16::from(talk.is_behind_door());
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), port);
        let id = self.server.connect(address).expect("every session can be opened");
        self.tell(|| format!("{number} connects: {talk:?}"));
        let reading = if self.rng.u8(..100) < self.manners.slow_readers { Reading::Slowly } else { Reading::AsItComes };
        if reading == Reading::Slowly {
            self.server.open_window(id, self.rng.usize(..5000));
        }
        let peer = Peer {
            id,
            number,
            check: Check::new(talk),
            script,
            sent: 0,
            sending: Sending::Open,
            reading,
            begun: Vec::new(),
            connected: self.server.now(),
            was_reset: Arc::default(),
            is_faulty: self.rng.bool(),
            notes: Vec::new(),
            within_head: None,
        };
        if peer.is_faulty {
            self.trouble(&peer);
        }
        self.peers.push(peer);
    }

    /// From now on the system is unkind to this peer's connection.
    fn trouble(&mut self, peer: &Peer) {
        let (mut rng, was_reset) = (self.rng.fork(), peer.was_reset.clone());
        let Manners { shorts, blocks, resets, .. } = self.manners;
        let most = [1, 20, 3000][rng.usize(..3)];
        self.server.fail_with(peer.id, move |_| match rng.u32(..1000) {
            lot if lot < resets => {
                was_reset.store(true, Ordering::Relaxed);
                Fault::Reset
            }
            lot if lot < resets + blocks => Fault::WouldBlock,
            lot if lot < resets + blocks + shorts => Fault::Short(rng.usize(1..=most)),
            lot if lot >= 900 => Fault::Cold,
            _ => Fault::Nothing,
        });
    }

    fn send_some(&mut self, index: usize) {
        let left = self.peers[index].script.bytes.len() - self.peers[index].sent;
        let most = match self.rng.u8(..4) {
            0 => 3,
            1 => 200,
            _ => 70_000,
        };
        let count = self.rng.usize(..=left.min(most));
        self.send(index, count);
    }

    fn send(&mut self, index: usize, count: usize) {
        let now = self.server.now();
        let peer = &mut self.peers[index];
        if peer.sending == Sending::Finished || count == 0 {
            return;
        }
        let script = &peer.script;
        let is_last_word =
            |exchange: &Exchange| exchange.place.end <= peer.sent && exchange.is_last_word(&script.bytes);
        if !self.server.is_open(peer.id) && script.exchanges.iter().any(is_last_word) {
            // It goes on behind its own `close`, which RFC 9112 §9.6 forbids: what comes of that is its own doing.
            peer.was_reset.store(true, Ordering::Relaxed);
        }
        self.server.send(peer.id, &script.bytes[peer.sent..peer.sent + count]);
        peer.sent += count;
        let has_begun = |exchange: &&Exchange| exchange.place.start < peer.sent;
        peer.begun.resize(peer.script.exchanges.iter().take_while(has_begun).count(), now);
        let (number, sent) = (peer.number, peer.sent);
        self.tell(|| format!("{number} sends {count} bytes, {sent} in all"));
    }

    /// The peer takes what has come, and looks whether it is right.
    fn receive(&mut self, index: usize) -> Result<(), Complaint> {
        let peer = &mut self.peers[index];
        let is_finished = self.server.is_finished(peer.id);
        let is_reset = self.server.is_reset(peer.id);
        let writes = self.server.recv_writes(peer.id);
        let book = self.book.open();
        let facts = Facts {
            script: &peer.script,
            book: &book,
            sent: peer.sent,
            is_finished: peer.sending == Sending::Finished,
            begun: &peer.begun,
            connected: peer.connected,
            now: self.server.now(),
            was_reset: peer.was_reset.load(Ordering::Relaxed),
            is_shut_down: self.shut_down == ShutDown::Told,
            notes: &peer.notes,
        };
        let complain = |complaint| format!("peer {}: {complaint}", peer.number);
        for write in &writes {
            peer.check.take(write, &facts).map_err(complain)?;
            if !peer.is_faulty && peer.reading == Reading::AsItComes {
                peer.check.writes_end_well().map_err(complain)?;
            }
        }
        if is_finished || is_reset {
            peer.check.end(&facts).map_err(complain)?;
            if self.rng.bool() {
                peer.sending = Sending::Finished;
                self.server.finish(peer.id);
            }
        }
        let is_idle = peer.check.is_idle(&facts);
        drop(book);
        let (number, count) = (peer.number, writes.iter().map(Vec::len).sum::<usize>());
        self.tell(|| format!("{number} receives {count} bytes; finished: {is_finished}, reset: {is_reset}"));
        self.check_left_behind(index)?;
        self.check_memory(index, is_idle)
    }

    fn open_window(&mut self, index: usize) {
        if self.peers[index].reading == Reading::Slowly {
            let count = if self.rng.u8(..4) == 0 { 200_000 } else { self.rng.usize(..5000) };
            self.server.open_window(self.peers[index].id, count);
            self.tell(|| format!("{index} takes {count} bytes more"));
        }
    }

    fn finish(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        peer.sending = Sending::Finished;
        self.server.finish(peer.id);
        self.tell(|| format!("{index} finishes"));
    }

    fn reset(&mut self, index: usize) {
        let peer = &self.peers[index];
        peer.was_reset.store(true, Ordering::Relaxed);
        self.server.reset(peer.id);
        self.tell(|| format!("{index} resets"));
    }

    /// Somebody has news for a session of lines, which passes them on; it may have gone long ago.
    fn post_note(&mut self) {
        let known: Vec<_> =
            self.book.open().addresses.iter().map(|(number, address)| (*number, address.clone())).collect();
        let Some((number, address)) = self.rng.choice(known) else { return };
        let peer = &mut self.peers[usize::try_from(number).expect("it is an index")];
        let note = format!("note {} for {number}\n", peer.notes.len());
        address.send(note.clone());
        peer.notes.push(note);
        self.tell(|| format!("{number} gets a note"));
    }

    fn let_time_pass(&mut self) {
        let time = match self.rng.u16(..1000) {
            0..=4 => Duration::from_secs(self.rng.u64(..400)),
            5..=29 => Duration::from_secs(self.rng.u64(..15)),
            _ => Duration::from_millis(self.rng.u64(..=self.manners.haste)),
        };
        self.server.advance(time);
        let now = self.server.now();
        self.tell(|| format!("{time:?} pass; it is {now:?}"));
    }

    /// One batch of the loop. The system tells what it has to tell in any order, and some of it later.
    fn take_step(&mut self) {
        let (rng, delay) = (&mut self.rng, 4);
        self.server.step_with(|events: &mut Vec<TestEvent>| {
            rng.shuffle(events);
            if rng.u8(..delay) == 0 {
                events.truncate(rng.usize(..=events.len()));
            }
        });
        self.tell(|| "a step of the loop".into());
    }

    // ---- other threads ----

    /// Workers, producers, and whoever answers later: one of them does something.
    fn produce(&mut self) {
        match self.rng.u8(..10) {
            0..=2 => {
                let place = self.rng.usize(..=self.server.jobs_waiting());
                self.server.run_job(place);
                self.tell(|| format!("a worker does job {place}"));
            }
            3..=4 => self.reply(),
            _ => self.feed(),
        }
    }

    fn reply(&mut self) {
        let waiting: Vec<u64> = self.book.open().replies.keys().copied().collect();
        let Some(id) = self.rng.choice(waiting) else { return };
        let is_forgotten = self.rng.u8(..8) == 0;
        self.reply_to(id, is_forgotten);
    }

    fn reply_to(&mut self, id: u64, is_forgotten: bool) {
        let Some(reply) = self.book.open().replies.remove(&id) else { return };
        if is_forgotten {
            self.book.open().forgotten.push(id);
            drop(reply);
        } else {
            reply.send(text(id, self.length_of(id)));
        }
        self.tell(|| format!("{id} is answered; forgotten: {is_forgotten}"));
    }

    /// How much text the answer to a later exchange has.
    fn length_of(&self, id: u64) -> usize {
        let exchanges = self.peers.iter().flat_map(|peer| &peer.script.exchanges);
        let asks = exchanges.filter(|exchange| exchange.id == id).map(|exchange| exchange.ask);
        asks.filter_map(|ask| if let Ask::Later { length } = ask { Some(length) } else { None }).next().unwrap_or(0)
    }

    fn feed(&mut self) {
        let mut book = self.book.open();
        let open: Vec<u64> =
            book.streams.iter().filter(|(_, stream)| stream.sender.is_some()).map(|(id, _)| *id).collect();
        let Some(id) = self.rng.choice(open) else { return };
        let stream = book.streams.get_mut(&id).expect("it was found there");
        let what = self.rng.u8(..40);
        match (what, stream.sender.take()) {
            (0, Some(sender)) => {
                stream.ending = Ending::Aborted;
                sender.abort();
            }
            (1..=9, sender) => {
                stream.ending = Ending::Whole;
                drop(sender);
            }
            (_, sender) => {
                let count = if what == 10 { self.rng.usize(..30_000) } else { self.rng.usize(..2000) };
                let piece = bytes_of(id, stream.fed..stream.fed + count);
                if sender.as_ref().is_some_and(|sender| sender.try_send(piece).is_ok()) {
                    stream.fed += count;
                }
                stream.sender = sender;
            }
        }
        let fed = stream.fed;
        drop(book);
        self.tell(|| format!("the stream {id} has {fed} bytes, or an end ({what})"));
    }

    fn with_facts<T>(&self, index: usize, ask: impl FnOnce(&Check, &Facts<'_>) -> T) -> T {
        let (peer, book) = (&self.peers[index], self.book.open());
        let facts = Facts {
            script: &peer.script,
            book: &book,
            sent: peer.sent,
            is_finished: peer.sending == Sending::Finished,
            begun: &peer.begun,
            connected: peer.connected,
            now: self.server.now(),
            was_reset: peer.was_reset.load(Ordering::Relaxed),
            is_shut_down: self.shut_down == ShutDown::Told,
            notes: &peer.notes,
        };
        ask(&peer.check, &facts)
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push_back(what());
        }
    }
}

impl Manners {
    fn choose(rng: &mut Rng) -> Self {
        Self {
            peers_at_once: rng.usize(1..24),
            shorts: if rng.u8(..5) == 0 { 950 } else { rng.u32(..450) },
            blocks: if rng.u8(..3) == 0 { 0 } else { rng.u32(..450) },
            resets: if rng.u8(..3) == 0 { 3 } else { 0 },
            slow_readers: rng.u8(..70),
            haste: if rng.u8(..3) == 0 { 0 } else { rng.u64(..300) },
            requests_per_connection: if rng.u8(..5) == 0 { 5 } else { 100_000 },
            shuts_down_at: (rng.u8(..6) == 0).then(|| rng.usize(..STEPS_PER_WORLD)),
        }
    }
}
