// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * One connection to the host: lines in both directions. No call waits longer than it was told to,
 * whatever the host does, or does not. For one thread; others may wake its selector.
 */
final class Connection implements AutoCloseable {
    /** Of a line. A host sends at most 8 MiB unless it was told otherwise. */
    private static final int LONGEST = 64 << 20;

    private final Selector selector;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final Queue<ByteBuffer> outgoing = new ArrayDeque<>();
    private byte[] incoming = new byte[8192];
    private int filled;
    private int searched;  // so many bytes have no line end

    /** Dials. Times are System.nanoTime(). */
    Connection(Selector selector, InetSocketAddress address, long deadline) throws IOException {
        this.selector = selector;
        channel = SocketChannel.open();
        try {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);  // short lines, at once
            channel.connect(address);
            key = channel.register(selector, SelectionKey.OP_CONNECT);
            while (!channel.finishConnect()) {
                if (!await(SelectionKey.OP_CONNECT, deadline)) {
                    throw new SocketTimeoutException("no connection in time");
                }
            }
        } catch (IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
    }

    void send(String message) {
        outgoing.add(ByteBuffer.wrap((message + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /** The next line; null when the deadline has come, or the selector was woken. */
    String receive(long deadline) throws IOException {
        boolean woken = false;
        while (true) {
            flush();
            String line = takeLine();
            if (line != null || woken || System.nanoTime() - deadline >= 0) {
                return line;
            }
            int interest = outgoing.isEmpty()
                    ? SelectionKey.OP_READ : SelectionKey.OP_READ | SelectionKey.OP_WRITE;
            key.interestOps(interest);
            woken = select(deadline) == 0;
            if (key.isReadable()) {
                read();
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private boolean await(int interest, long deadline) throws IOException {
        key.interestOps(interest);
        select(deadline);
        return System.nanoTime() - deadline < 0;
    }

    private int select(long deadline) throws IOException {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        int ready = selector.select(Math.max(1, left));  // 0 would be for ever
        selector.selectedKeys().clear();
        Thread.interrupted();  // user code that interrupts all threads does not mean this one
        return ready;
    }

    private void flush() throws IOException {
        while (!outgoing.isEmpty()) {
            channel.write(outgoing.peek());
            if (outgoing.peek().hasRemaining()) {
                return;
            }
            outgoing.remove();
        }
    }

    private void read() throws IOException {
        if (filled == incoming.length) {
            if (filled >= LONGEST) {
                throw new MalformedMessage("a line without an end");
            }
            incoming = Arrays.copyOf(incoming, Math.min(LONGEST, filled * 2));
        }
        int count = channel.read(ByteBuffer.wrap(incoming, filled, incoming.length - filled));
        if (count < 0) {
            throw new EOFException("the host has closed the connection");
        }
        filled += count;
    }

    private String takeLine() throws IOException {
        while (searched < filled && incoming[searched] != '\n') {
            ++searched;
        }
        if (searched == filled) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.wrap(incoming, 0, searched);
        String line;
        try {
            line = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException invalid) {
            throw new MalformedMessage("no UTF-8");
        }
        int rest = searched + 1;
        incoming = Arrays.copyOfRange(incoming, rest, rest + Math.max(8192, filled - rest));
        filled -= rest;
        searched = 0;
        return line;
    }
}
