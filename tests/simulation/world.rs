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

/// How many rounds a world may take to settle: far more than it needs.
const MOST_ROUNDS: usize = 100_000;

/// The longest wait that any setting allows.
const LONGEST_WAIT: Duration = Duration::from_secs(301);

/// The most memory that the server may hold for one client: what it may leave unread, the high-water mark of its output,
/// the largest answer on top of that, and the room that buffers have to spare.
const MOST_MEMORY: usize = 64 * 1024 + 4 * (64 * 1024 + 150_000);

/// What an idle client may hold.
const IDLE_MEMORY: usize = 1024 + 64 * 1024;

/// How long a head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How often one client may read in one turn.
const MOST_READS: u64 = 16;

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
            _ => Talk::Http,
        };
        let number = self.peers.len() as u64;
        let script = Script::new(&mut self.rng, talk, &mut self.next_id, self.manners.requests_per_connection);
        let port = u16::try_from(2 * number).expect("there are few") + u16::from(talk != Talk::Http);
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), port);
        let id = self.server.connect(address).expect("every session can be opened");
        self.tell(|| format!("{number} connects: {talk:?}"));
        let reading = if self.rng.u8(..100) < self.manners.slow_readers { Reading::Slowly } else { Reading::AsItComes };
        if reading == Reading::Slowly {
            self.server.open_window(id, self.rng.usize(..5000));
        }
        let mut peer = Peer {
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
            self.trouble(&mut peer);
        }
        self.peers.push(peer);
    }

    /// From now on the system is unkind to this peer's connection.
    fn trouble(&mut self, peer: &mut Peer) {
        let (mut rng, was_reset) = (self.rng.fork(), peer.was_reset.clone());
        let Manners { shorts, blocks, resets, .. } = self.manners;
        self.server.fail_with(peer.id, move |_| match rng.u32(..1000) {
            lot if lot < resets => {
                was_reset.store(true, Ordering::Relaxed);
                Fault::Reset
            }
            lot if lot < resets + blocks => Fault::WouldBlock,
            lot if lot < resets + blocks + shorts => Fault::Short(if rng.bool() { 1 } else { rng.usize(1..3000) }),
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
        self.server.send(peer.id, &peer.script.bytes[peer.sent..peer.sent + count]);
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

    /// Of a connection that is closed, the server keeps nothing: the producers of its answers know that it has gone.
    fn check_left_behind(&self, index: usize) -> Result<(), Complaint> {
        let (peer, book) = (&self.peers[index], self.book.open());
        let streams = peer.script.exchanges.iter().filter_map(|exchange| book.streams.get(&exchange.id));
        let is_kept = streams.filter_map(|stream| stream.sender.as_ref()).any(|sender| !sender.is_closed());
        if is_kept && !self.server.is_open(peer.id) {
            return Err(format!("peer {} has gone, and a stream for it is kept", peer.number));
        }
        Ok(())
    }

    fn check_memory(&self, index: usize, is_idle: bool) -> Result<(), Complaint> {
        let (peer, is_quiet) = (&self.peers[index], self.server.is_quiet());
        let memory = self.server.memory(peer.id);
        let most = if is_idle && is_quiet { IDLE_MEMORY } else { MOST_MEMORY };
        if memory <= most {
            Ok(())
        } else {
            Err(format!("peer {}: {memory} bytes are held, {most} may be", peer.number))
        }
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

    // ---- what must hold ----

    /// After every step.
    fn look_around(&mut self) -> Result<(), Complaint> {
        for index in self.present().collect::<Vec<_>>() {
            if self.server.is_open(self.peers[index].id) {
                self.check_deadline(&self.peers[index])?;
                self.check_half_head(index)?;
                self.check_memory(index, false)?;
            }
        }
        if self.server.longest_turn() > MOST_READS {
            return Err(format!("{} reads in one turn", self.server.longest_turn()));
        }
        let book = self.book.open();
        let often = book.handled.iter().find(|(_, count)| **count > 1);
        often.map_or(Ok(()), |(id, count)| Err(format!("exchange {id} was handled {count} times")))
    }

    /// Nobody waits without a deadline, and the loop is awake by then.
    fn check_deadline(&self, peer: &Peer) -> Result<(), Complaint> {
        let number = peer.number;
        let deadline =
            self.server.deadline(peer.id).ok_or_else(|| format!("peer {number} waits without a deadline"))?;
        let sleep = self.server.sleep().unwrap_or(Duration::MAX);
        if deadline > LONGEST_WAIT {
            Err(format!("peer {number} may wait {deadline:?}"))
        } else if sleep > deadline {
            Err(format!("peer {number} has {deadline:?} left, and the loop sleeps {sleep:?}"))
        } else {
            Ok(())
        }
    }

    /// A head has one deadline, however slowly its bytes come.
    fn check_half_head(&mut self, index: usize) -> Result<(), Complaint> {
        let is_within = !self.server.is_finished(self.peers[index].id)
            && self.with_facts(index, |check, facts| check.is_within_head(facts));
        let (now, is_quiet) = (self.server.now(), self.server.is_quiet());
        let peer = &mut self.peers[index];
        let answered = peer.check.answers();
        let deadline = now + self.server.deadline(peer.id).unwrap_or_default();
        let known = peer.within_head.filter(|(exchange, _)| is_within && *exchange == answered);
        peer.within_head = known.or((is_within && is_quiet).then_some((answered, deadline)));
        match peer.within_head {
            Some((_, first)) if now < first && deadline > first.min(now + HEAD_TIMEOUT) => {
                Err(format!("peer {} has a head until {deadline:?}, but had one until {first:?}", peer.number))
            }
            _ => Ok(()),
        }
    }

    /// Nothing goes wrong any more, and all is answered: first what was asked by then, so that nothing but the server itself
    /// can bring it on (the clock stands still, and nobody sends); then everybody says what they still have to say.
    fn settle(&mut self) -> Result<(), Complaint> {
        self.tell(|| "the world settles".into());
        for index in self.present().collect::<Vec<_>>() {
            self.server.heal(self.peers[index].id);
        }
        self.come_to_rest()?;
        self.check_complete(|peer| peer.reading == Reading::AsItComes)?;
        for index in self.present().collect::<Vec<_>>() {
            self.server.open_window(self.peers[index].id, usize::MAX);
            self.send(index, self.peers[index].script.bytes.len() - self.peers[index].sent);
        }
        self.come_to_rest()?;
        self.check_complete(|_| true)
    }

    fn check_complete(&self, is_meant: impl Fn(&Peer) -> bool) -> Result<(), Complaint> {
        for index in self.present().filter(|index| is_meant(&self.peers[*index])) {
            let complete = self.with_facts(index, |check, facts| check.complete(facts));
            complete.map_err(|complaint| format!("peer {index}: {complaint}"))?;
        }
        Ok(())
    }

    /// Answers, produces and steps until nothing is left to do.
    fn come_to_rest(&mut self) -> Result<(), Complaint> {
        for _ in 0..MOST_ROUNDS {
            self.server.step();
            self.look_around()?;
            for index in self.present().collect::<Vec<_>>() {
                self.receive(index)?;
            }
            let has_answered = self.answer_everyone();
            if self.server.is_quiet() && !has_answered {
                return Ok(());
            }
        }
        Err("the loop never comes to rest".into())
    }

    fn answer_everyone(&mut self) -> bool {
        let jobs = self.server.jobs_waiting();
        (0..jobs).for_each(|_| self.server.run_job(0));
        let replies: Vec<u64> = self.book.open().replies.keys().copied().collect();
        replies.iter().for_each(|id| self.reply_to(*id, false));
        let mut streams = 0;
        for stream in self.book.open().streams.values_mut() {
            if let Some(sender) = stream.sender.take() {
                stream.ending = Ending::Whole;
                drop(sender);
                streams += 1;
            }
        }
        jobs + replies.len() + streams > 0
    }

    /// Everybody leaves, or stays silent until the server has had enough. Then nothing is left of anyone.
    fn say_farewell(&mut self) -> Result<(), Complaint> {
        if self.rng.bool() {
            (0..self.peers.len()).for_each(|index| self.finish(index));
            self.come_to_rest()?;
            if self.server.open_clients() > 0 {
                return Err(format!("{} clients are kept after their end", self.server.open_clients()));
            }
        }
        self.wait_for_everyone()?;
        match Arc::strong_count(&self.file) {
            2 => self.write_to_the_dead(), // ours and the handler's
            count => Err(format!("the file has {count} holders, and nobody is there")),
        }
    }

    /// The loop sleeps as long as it likes, again and again, until it would sleep for ever.
    fn wait_for_everyone(&mut self) -> Result<(), Complaint> {
        for _ in 0..MOST_ROUNDS {
            let Some(sleep) = self.server.sleep() else {
                let left = self.server.open_clients();
                return if left == 0 { Ok(()) } else { Err(format!("the loop sleeps for ever on {left} clients")) };
            };
            self.server.advance(sleep);
            self.server.step();
            for index in self.present().collect::<Vec<_>>() {
                self.receive(index)?;
            }
            self.look_around()?;
        }
        Err("clients are kept for ever".into())
    }

    /// Notes for those who have gone do nothing and are not kept.
    fn write_to_the_dead(&mut self) -> Result<(), Complaint> {
        for address in self.book.open().addresses.values() {
            address.send(String::from("is anybody there?"));
        }
        self.server.step();
        match self.server.letters_waiting() {
            0 => Ok(()),
            letters => Err(format!("{letters} letters are never read")),
        }
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
