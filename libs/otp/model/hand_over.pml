/* How a worker goes from the thread of a stuck handler to another thread, and back.
 *
 * Names are those of the code: Seat (scheduler/seat.cpp), Context and its scopes (core/context.hpp), RunLoop
 * (scheduler/run_loop.cpp, idle.cpp), Worker (core/worker.cpp), Watchdog (scheduler/watchdog.cpp), the node's end
 * (node/start_and_end.cpp). README.md beside this file says what is modelled and what isn't, and how to run it. Each BROKEN_... is a fault that
 * spin must find; those marked "was so" were in the code.
 *
 * A step (a statement, or an atomic one) touches at most one thing that other threads, or a signal on the same
 * thread, may change, and what only this thread may touch then. `holder` shows that the last is true.
 */

#ifndef WORKERS
#define WORKERS 1
#endif
#ifndef MOST_REPLACED
#define MOST_REPLACED 2
#endif
/* Threads that can be made: one more than work or are displaced, for one that returns is neither. */
#ifndef SEATS
#define SEATS (WORKERS + MOST_REPLACED + 1)
#endif
/* Process p belongs to worker p % WORKERS. */
#define PROCESSES 2
/* Messages that each process has at the beginning, that come from outside, and that handlers send at most. */
#ifndef WAITING
#define WAITING 1
#endif
#ifndef OUTSIDE
#define OUTSIDE 1
#endif
#ifndef INSIDE
#define INSIDE 0
#endif
/* How often the watchdog takes a handler for stuck. */
#ifndef INTERRUPTS
#define INTERRUPTS 2
#endif
/* How often no thread can be had. */
#ifndef FAILURES
#define FAILURES 1
#endif

#define none 15
#define owner_of(process) ((process) % WORKERS)

mtype:state = { unmade, driving, displaced, replaced, returning, spare, leaving }
mtype:rest = { awake, asleep }
mtype:policy = { idle_policy, ordinary_policy, own_policy }

/* Seat */
mtype:state m_state[SEATS] = unmade;
byte m_worker[SEATS] = none;
byte m_next_returning[SEATS] = none;
/* Its thread waits in m_state.wait(). */
bool is_waiting[SEATS];
/* It was asked to leave: the signal is under way, or its handler runs. The thread does nothing else. */
bool is_signalled[SEATS];
bool has_ended[SEATS];
#ifdef POLICY
mtype:policy policy[SEATS] = own_policy;
#define set_policy(seat, value) policy[seat] = value
#else
#define set_policy(seat, value) skip
#endif

/* Context, one a thread */
byte t_worker[SEATS] = none;
byte t_process[SEATS] = none;
bool is_in_handler[SEATS];
bool must_leave[SEATS];

/* Worker. What is `returning` in the code, the list of seats that want it back, is `wants_back` here. */
byte driver[WORKERS] = none;
byte wants_back[WORKERS] = none;
mtype:rest m_rest[WORKERS] = awake;
bool m_wake_event[WORKERS];
/* Of each process, whether it is in the list. */
bool m_notified[PROCESSES];
bool m_queue[PROCESSES] = (WAITING != 0);
byte running[WORKERS] = none;
#if WORKERS > 1
byte m_outgoing_target[WORKERS] = none;
byte m_outgoing_count[WORKERS];
#endif

/* Process */
byte remote[PROCESSES];
byte mailbox[PROCESSES] = WAITING;
bool is_notified[PROCESSES];
bool is_running[PROCESSES];

/* The node's end */
bool is_stopping;
bool m_stop_event;
bool watchdog_has_ended;
bool is_joined;

/* What is shown. */

/* The thread that touches the worker. */
byte holder[WORKERS] = none;
/* Threads in a handler of the process. */
byte handlers_of[PROCESSES];
byte sent = WAITING * PROCESSES;
byte handled;
bool has_sender_ended;
byte interrupts_left = INTERRUPTS;
byte failures_left = FAILURES;
byte sends_left = INSIDE;

#if WORKERS > 1
#define has_notified(worker) m_notified[worker]
#define nobody_is_runnable(worker) (!m_queue[worker])
#else
#define has_notified(worker) (m_notified[0] || m_notified[1])
#define nobody_is_runnable(worker) (!m_queue[0] && !m_queue[1])
#endif

#define touch(worker) assert(holder[worker] == me)

inline begin_touching(worker) {
    assert(holder[worker] == none);
    holder[worker] = me
}

inline end_touching(worker) {
    touch(worker);
    holder[worker] = none
}

/* ---- What threads leave a worker ---- */

inline wake(worker) {
    if
    :: m_rest[worker] == asleep ->
        if
        :: atomic { m_rest[worker] == asleep -> m_rest[worker] = awake }
            m_wake_event[worker] = true
        :: m_rest[worker] != asleep
        fi
    :: m_rest[worker] != asleep
    fi
}

inline notify(process) {
    if
    :: atomic { !is_notified[process] -> is_notified[process] = true }
        m_notified[process] = true;
        wake(owner_of(process))
    :: is_notified[process]
    fi
}

/* push_from_outside(), and the end of flush_remote(): `count` envelopes. */
inline push_remote(process, count) {
    if
    :: atomic { remote[process] == 0 -> remote[process] = count }
        notify(process)
    :: atomic { remote[process] != 0 -> remote[process] = remote[process] + count }
    fi
}

#if WORKERS > 1
inline flush_remote(worker) {
    if
    :: atomic {
            m_outgoing_target[worker] != none ->
            touch(worker);
            flushed = m_outgoing_target[worker];
            flushed_count = m_outgoing_count[worker];
            m_outgoing_target[worker] = none;
            m_outgoing_count[worker] = 0
        }
        push_remote(flushed, flushed_count);
        flushed = none;
        flushed_count = 0
    :: m_outgoing_target[worker] == none
    fi
}
#else
/* Everybody lives on the same worker. */
inline flush_remote(worker) {
    touch(worker)
}
#endif

inline ask_for_worker(worker) {
    do
    :: atomic {
            head = wants_back[worker];
            m_next_returning[me] = head
        }
        if
        :: atomic { wants_back[worker] == head -> wants_back[worker] = me }
            break
        :: wants_back[worker] != head
        fi
    od;
    head = none;
    wake(worker)
}

/* ---- Seat ---- */

inline drive(seat, worker) {
    m_worker[seat] = worker;
    m_state[seat] = driving;
#ifndef BROKEN_SILENT_DRIVE
    is_waiting[seat] = false
#endif
}

/* Until its state is another one. */
inline wait_while(state) {
    do
    :: atomic { m_state[me] == state -> is_waiting[me] = true }
        !is_waiting[me]
    :: m_state[me] != state -> break
    od
}

inline wait_for_worker() {
    do
    :: atomic { m_state[me] == replaced -> m_state[me] = returning }
        set_policy(me, ordinary_policy);
        set_policy(me, own_policy);
        ask_for_worker(m_worker[me]);
        wait_while(returning);
        break
    :: atomic { m_state[me] == displaced -> m_state[me] = driving }
        break
    /* The code would go round for ever. */
    :: else ->
        assert(m_state[me] == replaced || m_state[me] == displaced)
    od
}

/* ---- Context ---- */

/* While is_in_handler is false, a signal doesn't take the worker. */
inline leave_worker() {
#ifdef BROKEN_LEFT_TWICE /* was so */
    must_leave[me] = false;
    left = t_worker[me];
    t_worker[me] = none;
    assert(left != none);
#else
    is_in_handler[me] = false;
    left = t_worker[me];
    t_worker[me] = none;
    must_leave[me] = false;
#endif
    if
    :: left != none ->
#ifdef BROKEN_DISPLACED_FIRST
        m_state[me] = displaced;
        flush_remote(left);
        end_touching(left)
#else
        flush_remote(left);
        atomic {
            end_touching(left);
            m_state[me] = displaced
        }
#endif
    :: else
    fi;
    left = none;
    is_in_handler[me] = true
}

inline ensure_worker() {
    if
    :: t_worker[me] == none ->
        /* take_worker_back() */
        wait_for_worker();
        atomic {
            begin_touching(m_worker[me]);
            running[m_worker[me]] = process;
            t_worker[me] = m_worker[me]
        }
    :: else
    fi
}

inline end_runtime_scope() {
    is_in_handler[me] = true;
    if
    :: must_leave[me] -> leave_worker()
    :: else
    fi
}

/* on_interrupt(), note_stack(): nobody else looks at the thread's context. */
proctype signal_handler(byte me) {
#if WORKERS > 1
    byte flushed = none, flushed_count;
#endif
    byte left = none;
end:
    do
    :: atomic {
            is_signalled[me] ->
            if
            :: t_worker[me] == none
#ifdef BROKEN_LEAVE_ANYWHERE
            :: t_worker[me] != none && t_process[me] != none ->
#else
            :: t_worker[me] != none && !is_in_handler[me] && t_process[me] != none -> must_leave[me] = true
            :: t_worker[me] != none && !is_in_handler[me] && t_process[me] == none
            :: t_worker[me] != none && is_in_handler[me] ->
#endif
                left = t_worker[me];
                t_worker[me] = none;
                must_leave[me] = false
            fi
        }
        if
        :: left != none ->
            flush_remote(left);
            atomic {
                end_touching(left);
                m_state[me] = displaced;
                left = none;
                is_signalled[me] = false
            }
        :: else -> is_signalled[me] = false
        fi
    od
}

/* ---- A handler ---- */

inline make_runnable(process) {
    touch(owner_of(process));
    m_queue[process] = m_queue[process] || !is_running[process]
}

/* deliver_in(): is_in_handler is false, so the thread keeps its worker, if it has it. */
inline deliver(to) {
    atomic {
        sent++;
        if
        :: t_worker[me] != none && owner_of(to) == t_worker[me] ->
            mailbox[to]++;
            make_runnable(to);
            goto delivered
        :: else
        fi
    }
#if WORKERS > 1
    if
    :: t_worker[me] != none ->
        if
        :: m_outgoing_target[t_worker[me]] != to -> flush_remote(t_worker[me])
        :: else
        fi;
        atomic {
            touch(t_worker[me]);
            m_outgoing_target[t_worker[me]] = to;
            m_outgoing_count[t_worker[me]]++
        }
        goto delivered
    :: else
    fi;
#endif
    push_remote(to, 1)
}

#ifdef STUCK
/* The first process's handler returns only when all other messages are handled. */
#define may_return(process) \
    ((process) != 0 || (has_sender_ended && handled + remote[0] + mailbox[0] + 1 == sent))
#define is_stuck(worker) (running[worker] == 0 && handlers_of[0] != 0 && !may_return(0))
#else
#define may_return(process) true
#define is_stuck(worker) false
#endif

/* ---- The worker's loop ---- */

/* The flag stays up while the list is taken. */
inline take_notified(process) {
    atomic {
        touch(owner_of(process));
        mailbox[process] = mailbox[process] + remote[process];
        remote[process] = 0;
        if
        :: mailbox[process] != 0 -> make_runnable(process)
        :: else
        fi
    }
    is_notified[process] = false;
    if
    :: remote[process] != 0 -> notify(process)
    :: else
    fi
}

inline sleep() {
#ifdef BROKEN_LOOK_BEFORE_SLEEP
    if
    :: !has_notified(worker) && wants_back[worker] == none && !is_stopping ->
        m_rest[worker] = asleep;
        m_wake_event[worker]
    :: else
    fi;
#else
    m_rest[worker] = asleep;
    /* has_shared_work() */
    if
    :: !has_notified(worker) ->
        if
#ifdef BROKEN_SLEEP_WITH_RETURNING
        :: true ->
#else
        :: wants_back[worker] == none ->
#endif
            if
            :: !is_stopping -> m_wake_event[worker] /* poll_files(); no timer ends it */
            :: else
            fi
        :: else
        fi
    :: else
    fi;
#endif
    m_rest[worker] = awake; /* end_rest() */
    m_wake_event[worker] = false
}

inline hand_worker_back() {
    atomic {
        touch(worker);
        back = wants_back[worker]
    }
    if
    :: atomic { wants_back[worker] == back -> wants_back[worker] = m_next_returning[back] }
    :: wants_back[worker] != back ->
        /* Others came in front. */
        before = wants_back[worker];
        do
        :: m_next_returning[before] != back -> before = m_next_returning[before]
        :: else -> break
        od;
        m_next_returning[before] = m_next_returning[back];
        before = none
    fi;
    driver[worker] = back;
    end_touching(worker);
#ifdef BROKEN_SPARE_LAST
    drive(back, worker);
    m_state[me] = spare;
#else
    m_state[me] = spare; /* become_spare() */
    drive(back, worker);
#endif
    back = none
}

/* Seat::run(), RunLoop::run() */
proctype seat_thread(byte me) provided (!is_signalled[me]) {
    byte worker = none, process = none, head = none, back = none, before = none, left = none;
#if WORKERS > 1
    byte flushed = none, flushed_count;
#endif
    if
    :: m_state[me] != unmade
    :: is_joined -> goto was_not_made
    fi;

next_worker:
    wait_while(spare);
    if
    :: m_state[me] == leaving -> goto ended
    :: else
    fi;
    assert(m_state[me] == driving);
    worker = m_worker[me];

    /* RunLoop::run() */
    atomic {
        t_worker[me] = worker;
        begin_touching(worker);
        driver[worker] = me
    }
    set_policy(me, own_policy);
    flush_remote(worker);

next_turn:
    if
    :: is_stopping ->
        end_touching(worker);
        goto ended
    :: !is_stopping && wants_back[worker] != none ->
        t_worker[me] = none;
        hand_worker_back();
        worker = none;
        goto next_worker
    :: !is_stopping && wants_back[worker] == none
    fi;

    /* take_shared_work() */
    do
    :: atomic { worker == owner_of(0) && m_notified[0] -> m_notified[0] = false }
        take_notified(0)
    :: atomic { worker == owner_of(1) && m_notified[1] -> m_notified[1] = false }
        take_notified(1)
    :: !has_notified(worker) -> break
    od;

    if
    :: atomic { worker == owner_of(0) && m_queue[0] -> process = 0; goto run_process }
    :: atomic { worker == owner_of(1) && m_queue[1] -> process = 1; goto run_process }
    :: nobody_is_runnable(worker)
    fi;
    flush_remote(worker);
    sleep();
    goto next_turn;

run_process: /* RunLoop::run_one() */
    atomic {
        touch(worker);
        m_queue[process] = false;
        is_running[process] = true;
        running[worker] = process;
        t_process[me] = process;
        if
        :: mailbox[process] == 0 -> goto drain
        :: else
        fi
    }

handle:
    atomic {
        touch(worker);
        assert(driver[worker] == me);
        mailbox[process]--;
        handlers_of[process]++;
        assert(handlers_of[process] == 1);
        must_leave[me] = false
    }
    is_in_handler[me] = true;
    if
    :: may_return(process) -> is_in_handler[me] = false
    :: is_in_handler[me] = false; /* RuntimeScope() of send_later() and others, which need the worker */
        ensure_worker();
        touch(worker);
        end_runtime_scope();
        may_return(process);
        is_in_handler[me] = false
    :: atomic { sends_left != 0 -> sends_left--; is_in_handler[me] = false }
        if
        :: deliver(0)
        :: deliver(1)
        fi;
delivered:
        end_runtime_scope();
        may_return(process);
        is_in_handler[me] = false
    fi;
    /* ~HandlerScope() */
    must_leave[me] = false;
    ensure_worker();
    atomic {
        touch(worker);
        handlers_of[process]--;
        handled++;
        if
        :: mailbox[process] != 0 -> goto handle
        :: mailbox[process] != 0 -> goto process_has_run /* is_run_too_long() */
        :: else
        fi
    }

drain: /* drain_remote() */
    atomic {
        touch(worker);
        mailbox[process] = remote[process];
        remote[process] = 0;
        if
        :: mailbox[process] != 0 -> goto handle
        :: else
        fi
    }

process_has_run:
    atomic {
        touch(worker);
        t_process[me] = none;
        running[worker] = none;
        is_running[process] = false;
        if
        :: mailbox[process] != 0 -> make_runnable(process)
        :: else
        fi;
        process = none
    }
    flush_remote(worker);
    goto next_turn;

ended:
    has_ended[me] = true;
was_not_made:
    skip
}

/* ---- The watchdog ---- */

inline set_replaced(seat) {
#ifdef BROKEN_PLAIN_STORE
    if
    :: m_state[seat] == displaced ->
        m_state[seat] = replaced;
        is_replaced = true
    :: else -> is_replaced = false
    fi;
#else
    if
    :: atomic { m_state[seat] == displaced -> m_state[seat] = replaced; is_replaced = true }
    :: m_state[seat] != displaced -> is_replaced = false
    fi;
#endif
    if
    :: is_replaced ->
        set_policy(seat, idle_policy);
        if
        :: m_state[seat] != replaced ->
            /* It came back at this moment. */
#ifdef BROKEN_POLICY /* was so */
            set_policy(seat, ordinary_policy)
#else
            set_policy(seat, own_policy)
#endif
        :: else
        fi
    :: else
    fi
}

/* Only the watchdog takes a spare one: in one look. */
inline find_spare() {
    d_step {
        found = 0;
        do
        :: found < SEATS && m_state[found] != spare -> found++
        :: else -> break
        od;
        if
        :: found == SEATS -> found = none
        :: else
        fi
    }
}

/* A new Seat, or none can be had. */
inline make_seat(first_state) {
    found = none;
    if
    :: failures_left != 0 -> failures_left--
    :: true ->
        atomic {
            found = WORKERS;
            do
            :: m_state[found] != unmade ->
                found++;
                assert(found < SEATS)
            :: else -> break
            od;
            m_worker[found] = at;
            m_state[found] = first_state
        }
    fi
}

#if defined(BROKEN_UNSET_REPLACED) || defined(BROKEN_DRIVER_AFTER_START)
/* Was so: a new thread drives at once, and if there can be none, nothing is to have happened. */
inline replace(seat) {
    set_replaced(seat);
    if
    :: is_replaced ->
        find_spare();
        if
        :: found != none ->
            driver[at] = found;
            drive(found, at)
        :: else ->
            make_seat(driving);
            if
            :: found != none ->
#ifdef BROKEN_DRIVER_AFTER_START
                driver[at] = found
#endif
            :: else ->
                /* unset_replaced() */
                if
                :: atomic { m_state[seat] == replaced -> m_state[seat] = displaced }
                :: m_state[seat] != replaced -> drive(seat, at)
                fi
            fi
        fi
    :: else
    fi
}
#else
inline replace(seat) {
    find_spare();
    if
    :: found == none -> make_seat(spare)
    :: else
    fi;
    if
    :: found != none ->
        set_replaced(seat);
        if
        :: is_replaced ->
            driver[at] = found;
            drive(found, at)
        :: else
        fi
    :: else
    fi
}
#endif

/* displaced_count(), in one look. */
inline count_displaced() {
    d_step {
        displaced_count = 0;
        found = 0;
        do
        :: found < SEATS ->
            if
            :: m_state[found] == displaced || m_state[found] == replaced -> displaced_count++
            :: else
            fi;
            found++
        :: else -> break
        od;
        found = none
    }
}

/* Watchdog::look(): any handler may seem stuck to it. It may give up waiting for an answer. */
inline look() {
    if
    :: m_state[seat] == displaced -> replace(seat)
    :: m_state[seat] != displaced && running[at] != none ->
        count_displaced();
        if
        :: displaced_count < MOST_REPLACED && !is_signalled[seat] ->
            atomic {
                is_signalled[seat] = true; /* interrupt() */
                if
                :: is_stuck(at)
                :: !is_stuck(at) && interrupts_left != 0 -> interrupts_left--
                :: !is_stuck(at) && interrupts_left == 0
                fi
            }
            if
            :: m_state[seat] == displaced -> replace(seat)
            :: true
            fi
        :: else
        fi
    :: m_state[seat] != displaced && running[at] == none
    fi;
    atomic {
        seat = none;
        found = none;
        displaced_count = 0;
        is_replaced = false;
        at = none
    }
}

#define has_reason_to_look(worker) \
    (driver[worker] != none && \
     (m_state[driver[worker]] == displaced || \
      (running[worker] != none && interrupts_left != 0) || is_stuck(worker)))

/* Watchdog::run() */
proctype watchdog() {
    byte at = none, seat = none, found = none, displaced_count;
    bool is_replaced;
    do
    :: m_stop_event -> break
    :: atomic { has_reason_to_look(0) -> at = 0; seat = driver[0] }
        look()
#if WORKERS > 1
    :: atomic { has_reason_to_look(1) -> at = 1; seat = driver[1] }
        look()
#endif
    od;
    watchdog_has_ended = true
}

/* ---- The rest of the program ---- */

proctype sender() {
    byte left_to_send = OUTSIDE;
    do
    :: atomic {
            left_to_send != 0 ->
            left_to_send--;
            sent++
        }
        if
        :: push_remote(0, 1)
        :: push_remote(1, 1)
        fi
    :: left_to_send == 0 -> break
    od;
    has_sender_ended = true
}

/* ~NodeCore() after kill_all(), Watchdog::stop() */
inline stop() {
    is_stopping = true;
    at = 0;
    do
    :: at < WORKERS ->
        wake(at);
        at++
    :: at == WORKERS -> break
    od;
    m_stop_event = true;
    watchdog_has_ended;
    at = 0;
    do
    :: at < SEATS && m_state[at] != unmade ->
        /* release() */
        if
        :: atomic { m_state[at] == spare -> m_state[at] = leaving }
            is_waiting[at] = false
        :: m_state[at] != spare
        fi;
        has_ended[at]; /* join() */
        at++
    :: at < SEATS && m_state[at] == unmade -> at++
    :: at == SEATS -> break
    od
}

init {
    byte at;
    atomic {
        at = 0;
        do
        :: at < SEATS ->
            if
            :: at < WORKERS ->
                m_worker[at] = at;
                m_state[at] = driving
            :: else
            fi;
            run seat_thread(at);
            run signal_handler(at);
            at++
        :: else -> break
        od;
        run watchdog();
        run sender()
    }
    /* All processes have ended: none has a message left, none is in a handler. */
    has_sender_ended && handled == sent;
    stop();
    atomic {
        at = 0;
        do
        :: at < WORKERS ->
            assert(wants_back[at] == none && holder[at] == none);
            at++
        :: else -> break
        od;
#ifdef POLICY
        at = 0;
        do
        :: at < SEATS ->
            assert(policy[at] == own_policy);
            at++
        :: else -> break
        od;
#endif
        is_joined = true
    }
}

/* With weak fairness, every thread ends. */
ltl ends { <> is_joined }
