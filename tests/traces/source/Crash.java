// Exceptions with causes and suppressed ones, in other threads, and a deadlock for jstack.
import java.util.List;
import java.util.concurrent.CountDownLatch;

public class Crash {
    static class Resource implements AutoCloseable {
        public void close() {
            throw new IllegalStateException("cannot close");
        }
    }

    static class Reader<T> {
        T third(List<T> values) {
            return values.get(3);
        }
    }

    static int read(List<Integer> values) {
        try (Resource resource = new Resource()) {
            return new Reader<Integer>().third(values);
        }
    }

    static void deadlock(Object first, Object second, CountDownLatch both) {
        synchronized (first) {
            both.countDown();
            try {
                both.await();
            } catch (InterruptedException interrupted) {
                return;
            }
            synchronized (second) {
                System.out.println("never");
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("deadlock")) {
            Object a = new Object(), b = new Object();
            CountDownLatch both = new CountDownLatch(2);
            new Thread(() -> deadlock(a, b, both), "left \"1\"").start();
            new Thread(() -> deadlock(b, a, both), "right").start();
            both.await();
            return;
        }
        Thread worker = new Thread(() -> Integer.parseInt("none\nat all"), "a worker");
        worker.start();
        worker.join();
        try {
            read(List.of(1, 2));
        } catch (RuntimeException cause) {
            throw new Exception("cannot read:\n  two lines", cause);
        }
    }
}
