#!/usr/bin/env bash
# Makes resources/sample-clip.mp4: the video a newcomer can play on the first start.
#
# Everything in it is generated here, so the clip is free of other people's rights. Drifting light over
# a slow gradient, with quiet chords. The film grain is deliberate: it hides banding and holds the size
# near 16 MiB, enough traffic units for the whole credit story. Same ffmpeg and font, same bytes, for which
# the grain has one thread and the encoder no rate cap: with several threads both depend on timing.
#
#   resources/make-sample-clip.sh [OUT.mp4]
set -euo pipefail
cd "$(dirname "$0")"

out=$(realpath -m "${1:-sample-clip.mp4}")
seconds=72
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The title is a nicety: without a font the clip is made without it.
title=''
if command -v fc-match >/dev/null && font=$(fc-match -f '%{file}' 'DejaVu Sans:style=ExtraLight') && [ -f "$font" ]; then
  fade="alpha='if(lt(t,1.5),0,if(lt(t,3.5),(t-1.5)/2,if(lt(t,8),1,if(lt(t,10),(10-t)/2,0))))'"
  title=",drawtext=fontfile='$font':text='Ace Node':fontsize=84:fontcolor=0xf4efe6:x=(w-tw)/2:y=(h/2)-84:$fade"
  title+=",drawtext=fontfile='$font':text='a sample clip, shared by peers':fontsize=30:fontcolor=0xd5ece8:x=(w-tw)/2:y=(h/2)+34:$fade"
fi

picture="
gradients=s=1280x720:r=30:d=$seconds:seed=7:n=4:c0=0x07404a:c1=0x0b7a75:c2=0x36ab9c:c3=0x1a2a4d:x0=0:y0=0:x1=1280:y1=720:speed=0.006,format=gbrp[water];
life=s=160x90:r=6:ratio=0.12:seed=11:rule=B3/S23:mold=6:life_color=0xffdca8:death_color=0x45bfb0:mold_color=0x000000,
  format=gbrp,framerate=fps=30,scale=640x360:flags=bicubic,gblur=sigma=4.2,scale=1920x1080:flags=bicubic,
  crop=1280:720:x='320+200*sin(t/11)':y='180+120*cos(t/13)',format=gbrp[light];
[water][light]blend=all_mode=screen:all_opacity=0.75,vignette=PI/6$title,
  noise=c0s=6:c0f=t:c1s=6:c1f=t:c2s=6:c2f=t:all_seed=3:threads=1,
  fade=t=in:d=1,fade=t=out:st=$((seconds - 2)):d=2,format=yuv420p[v]"

# One chord every 8 s that swells and fades (so the change of pitch is silent), and a soft bell every 2 s.
root='st(0,mod(floor(t/8),4));st(1,if(eq(ld(0),0),220,if(eq(ld(0),1),174.614,if(eq(ld(0),2),261.626,195.998))))'
pad='0.10*pow(sin(PI*t/8),2)*(sin(PI*ld(1)*t)+0.7*sin(2*PI*ld(1)*t)+0.5*sin(3*PI*ld(1)*t))'
bell='st(2,mod(floor(t/2)*3,5));st(3,440*if(eq(ld(2),0),1,if(eq(ld(2),1),1.125,if(eq(ld(2),2),1.333,if(eq(ld(2),3),1.5,1.778)))))'
ring='0.07*min(1,mod(t,2)*200)*exp(-2.2*mod(t,2))*sin(2*PI*ld(3)*mod(t,2))'
sound="aevalsrc=exprs='$root;$bell;$pad+$ring|$root;$bell;$pad+0.6*$ring':s=48000:d=$seconds,
  aecho=0.8:0.7:210|430:0.25|0.15,lowpass=f=3500,volume=2.2,afade=t=out:st=$((seconds - 2)):d=2,atrim=end=$seconds[a]"

video=(-map '[v]' -t "$seconds" -c:v libx264 -preset medium -profile:v high -b:v 1750k
  -g 60 -keyint_min 60 -sc_threshold 0 -bf 2 -threads 2 -colorspace bt709 -color_primaries bt709 -color_trc bt709
  -passlogfile "$work/x264" -flags:v +bitexact)
audio=(-map '[a]' -c:a aac -b:a 128k -ac 2 -flags:a +bitexact)
ff=(ffmpeg -nostdin -hide_banner -loglevel error -y)

"${ff[@]}" -filter_complex "$picture" "${video[@]}" -pass 1 -f null /dev/null
"${ff[@]}" -filter_complex "$picture;$sound" "${video[@]}" -pass 2 "${audio[@]}" \
  -map_metadata -1 -fflags +bitexact -movflags +faststart "$work/clip.mp4"
mv "$work/clip.mp4" "$out"
