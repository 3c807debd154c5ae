// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The guard's way to the host, for the driver's whole life: a daemon thread that dials, claims, and
 * says what the driver reports. The driver's main thread only ever waits for it with a deadline.
 */
final class Link implements Runnable {
    private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long FIRST_PAUSE = 200 * MILLISECOND;
    private static final long LONGEST_PAUSE = 5000 * MILLISECOND;
    private static final long DIAL_LIMIT = 10_000 * MILLISECOND;    // one address
    private static final long ANSWER_LIMIT = 30_000 * MILLISECOND;  // the host's disk may be slow
    private static final long PARTING_LIMIT = 2000 * MILLISECOND;   // how long an end waits for us

    private final Settings settings;
    private final String greeting;
    private final Selector selector;

    // What the threads tell each other, under this object's lock.
    private Answer answer;           // the grant, once there is one; else what was final
    private String trouble = "";     // why the host has not answered yet
    private boolean unreachable;     // the last attempt got no grant, and no other has a connection
    private final Report report = new Report();
    private boolean parted;          // the host has heard of the end

    // Of the daemon thread only.
    private boolean granted;  // on this connection
    private Map<String, Object> message;
    private long pings;

    Link(Settings settings) throws IOException {
        this.settings = settings;
        greeting = settings.greeting();
        selector = Selector.open();
    }

    /** Waits for the host's decision. Throws what is to be told to people where there is no grant. */
    synchronized void claim() throws NotGranted, InterruptedException {
        start("sparkhost-guard", this);
        long deadline = System.nanoTime() + settings.patience;
        while (answer == null) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new NotGranted("no answer from " + place() + " to the claim of ticket "
                        + settings.ticket + " within "
                        + TimeUnit.NANOSECONDS.toSeconds(settings.patience) + " s"
                        + (trouble.isEmpty() ? "" : "; at last: " + trouble));
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        if (!answer.granted) {
            throw new NotGranted("the host refuses ticket " + settings.ticket + ": "
                    + answer.reason + "; user code is not run");
        }
    }

    /** Those of the grant, once: they need not stay in the driver's memory. */
    synchronized Map<String, byte[]> takeFiles() {
        Map<String, byte[]> files = answer.files;
        answer = Answer.GRANTED_BEFORE;
        return files;
    }

    synchronized void application(String id, String uiUrl) {
        if (report.application(id, uiUrl)) {
            selector.wakeup();
        }
    }

    /**
     * Main is over. Gives the host a moment to hear of it, for the process may be gone at once; an
     * interrupt of the user's is neither lost nor waited through.
     */
    synchronized void ended(String error) {
        report.ended(error);
        selector.wakeup();
        long deadline = System.nanoTime() + PARTING_LIMIT;
        try {
            while (!parted && !unreachable && deadline - System.nanoTime() > 0) {
                TimeUnit.NANOSECONDS.timedWait(this, deadline - System.nanoTime());
            }
        } catch (InterruptedException meant) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void run() {
        long pause = FIRST_PAUSE;
        while (true) {
            long begin = System.nanoTime();
            try {
                if (!attempt()) {
                    return;
                }
            } catch (Throwable failure) {
                // also an OutOfMemoryError: the driver goes on, and so does its guard
                message = null;
                broken(failure);
            }
            // a host that hangs up at once is not asked faster than one that is not there
            if (granted && System.nanoTime() - begin > LONGEST_PAUSE) {
                pause = FIRST_PAUSE;
            }
            rest(pause - ThreadLocalRandom.current().nextLong(pause / 2));
            pause = Math.min(LONGEST_PAUSE, pause * 2);
        }
    }

    static void start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** One connection from its beginning to its end. False: there is to be no other. */
    private boolean attempt() throws IOException {
        granted = false;
        try (Connection host = dial()) {
            connected();
            host.send(greeting);
            Answer told = answer(host);
            if (!told.granted && told.retry) {
                throw new IOException("it says " + told.reason);
            }
            granted = told.granted;
            decided(told);
            if (granted) {
                converse(host);
            }
            return granted;
        }
    }

    /** The name may have several addresses, and other ones than at the last time. */
    private Connection dial() throws IOException {
        IOException failure = null;
        for (InetAddress address : InetAddress.getAllByName(settings.host)) {
            try {
                return new Connection(selector, new InetSocketAddress(address, settings.port),
                        System.nanoTime() + DIAL_LIMIT);
            } catch (IOException next) {
                failure = next;
            }
        }
        throw failure != null ? failure : new IOException("it has no address");
    }

    private Answer answer(Connection host) throws IOException {
        long deadline = System.nanoTime() + ANSWER_LIMIT;
        while (System.nanoTime() - deadline < 0) {
            if (heard(host, deadline)) {
                Answer told = Answer.of(message, first());
                if (told != null) {
                    return told;
                }
            }
        }
        throw new SocketTimeoutException("no answer within 30 s");
    }

    /** Says what there is to say; ends with the connection. */
    private void converse(Connection host) throws IOException {
        String told = "";
        long parting = -1;
        long lastHeard = System.nanoTime();
        long nextPing = lastHeard + settings.pingEvery;
        while (true) {
            String words = report();
            if (!words.equals(told)) {
                host.send(words);
                told = words;
                if (over()) {
                    parting = ping(host);
                }
            }
            if (System.nanoTime() - nextPing >= 0) {
                ping(host);
                nextPing = System.nanoTime() + settings.pingEvery;
            }
            if (heard(host, nextPing)) {
                lastHeard = System.nanoTime();
                Object id = message.get("id");
                if ("pong".equals(message.get("type")) && Long.valueOf(parting).equals(id)) {
                    partedNow();
                }
            } else if (System.nanoTime() - lastHeard > 3 * settings.pingEvery) {
                throw new SocketTimeoutException("it does not answer any more");
            }
        }
    }

    private long ping(Connection host) {
        host.send("{\"type\":\"ping\",\"id\":" + ++pings + "}");
        return pings;
    }

    /** Whether a message has come; it is in `message` then. Pings are answered on the way. */
    private boolean heard(Connection host, long deadline) throws IOException {
        String line = host.receive(deadline);
        if (line == null) {
            return false;
        }
        message = Json.object(line);
        if ("ping".equals(message.get("type")) && message.get("id") instanceof Long) {
            host.send("{\"type\":\"pong\",\"id\":" + message.get("id") + "}");
        }
        return true;
    }

    private synchronized boolean first() {
        return answer == null;
    }

    private synchronized String report() {
        return report.words();
    }

    private synchronized boolean over() {
        return report.over();
    }

    private synchronized void partedNow() {
        parted = true;
        notifyAll();
    }

    private synchronized void connected() {
        unreachable = false;
    }

    private synchronized void decided(Answer told) {
        if (answer == null) {
            answer = told;
        }
        unreachable = !told.granted;
        notifyAll();
    }

    private synchronized void broken(Throwable failure) {
        String words = words(failure);
        if (answer == null && trouble.isEmpty()) {
            DriverGuard.say("waiting for " + place() + ": " + words);
        }
        trouble = words;
        unreachable = !granted;
        notifyAll();
    }

    private static String words(Throwable failure) {
        try {
            return failure.getMessage() == null ? failure.toString() : failure.getMessage();
        } catch (Throwable another) {
            return "no memory";
        }
    }

    private void rest(long pause) {
        long deadline = System.nanoTime() + pause;
        try {
            for (long left = pause; left > 0; left = deadline - System.nanoTime()) {
                selector.select(Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
                Thread.interrupted();  // as in Connection
            }
        } catch (IOException strange) {
            Thread.yield();  // the next attempt says what is wrong
        }
    }

    Path folder() {
        return settings.folder;
    }

    private String place() {
        return settings.host + " port " + settings.port;
    }
}
