/* ALSA's `file` and `null` devices claim that they hand out single samples; a real one has periods of some milliseconds.
 * An LD_PRELOAD library that says so for them, because ffmpeg takes the shortest that it is offered. */
int snd_pcm_hw_params_get_period_size_min(const void *params, unsigned long *frames, int *dir)
{
    (void)params;
    (void)dir;
    *frames = 480;
    return 0;
}
